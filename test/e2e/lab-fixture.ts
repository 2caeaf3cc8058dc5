import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import { connectLab, runningLabs } from '../../src/lab/connect.ts';
import { DEFAULT_OPTIONS, type LabClient, type LabSpec, type LabStatus } from '../../src/lab/lab-client.ts';
import { startLab, type StartOptions } from '../../src/lab/start.ts';
import { startTicks } from '../../src/lab/state-folder.ts';
import type { ManifestFile } from '../../src/manifest/manifest.ts';
import { given } from '../builders/given.ts';

/** Holds the state of this test file's labs, apart from other labs of this user. */
const runtimeFolder = mkdtempSync(join(tmpdir(), 'netpol-lab-test-'));
process.env.XDG_RUNTIME_DIR = runtimeFolder;
process.env.PATH = [fileURLToPath(new URL('../../node_modules/.bin', import.meta.url)), process.env.PATH ?? ''].join(
  delimiter,
);

afterAll(async () => {
  const labs = await runningLabs(); // of tests that ran out of time
  for (const name of labs) await (await connectLab(name)).stop();
  const left = readdirSync(runtimeFolder, { recursive: true });
  await rm(runtimeFolder, { recursive: true, force: true });
  expect({ labs, left: left.filter((path) => path !== 'netpol-lab') }).toEqual({ labs: [], left: [] });
});

/** A lab that is ended, with all that it consists of, when it is disposed of. */
export class TestLab implements AsyncDisposable {
  readonly status: LabStatus;
  readonly client: LabClient;
  readonly #footprint: Footprint;
  #endTicks: number | undefined;
  #strangers: ReadonlySet<string> = new Set();
  readonly #programs: ChildProcess[] = [];

  private constructor(status: LabStatus, client: LabClient) {
    this.status = status;
    this.client = client;
    this.#footprint = footprintOf(status.pid);
  }

  /** Starts a lab of these manifests. */
  static async start(
    spec: Partial<LabSpec> & Pick<LabSpec, 'name'>,
    objects: StartOptions['objects'] = 'none',
  ): Promise<TestLab> {
    const options = DEFAULT_OPTIONS;
    const status = await startLab({ files: [], external: [], options, ...spec }, () => undefined, { objects });
    return new TestLab(status, await connectLab(spec.name));
  }

  /** The pod's address of that family. `pod` is NAMESPACE/NAME. */
  address(pod: string, family: 4 | 6 = 4): string {
    const status = this.status.pods.find(({ namespace, name }) => `${namespace}/${name}` === pod);
    const address = status?.addresses.find((text) => text.includes(':') === (family === 6));
    return given(address, `${pod} has no IPv${family} address`);
  }

  /** Applies manifests; fails the test if any of them is refused. @returns milliseconds until they were enforced. */
  async apply(manifests: string): Promise<number> {
    const { issues, enforcedMs } = await this.client.apply([manifestFile(manifests)]);
    expect(issues).toEqual([]);
    return enforcedMs;
  }

  /** Deletes a policy. `policy` is NAMESPACE/NAME. */
  async deletePolicy(policy: string): Promise<void> {
    const [namespace = '', name = ''] = policy.split('/');
    await this.client.delete({ kind: 'NetworkPolicy', namespace, name });
  }

  /** Starts a program of this folder in a pod (NAMESPACE/NAME), as `netpol-lab exec` would, and waits for its first line. */
  async run(pod: string, file: string, options: object = {}): Promise<PodProgram> {
    const path = fileURLToPath(new URL(file, import.meta.url));
    return this.exec(pod, [process.execPath, path, JSON.stringify(options)]);
  }

  /** Starts a command in a pod and waits for its first line of output. */
  async exec(pod: string, command: readonly string[]): Promise<PodProgram> {
    const [namespace = '', name = ''] = pod.split('/');
    const { enter } = await this.client.execTarget({ namespace, pod: name });
    const [program = '', ...args] = [...enter, ...command];
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#programs.push(child);
    return PodProgram.started(child);
  }

  /** What is left of the lab on this machine: processes and mounts that hold one of its namespaces. */
  remains(): string[] {
    if (startTicks(this.status.pid) === undefined) this.#endTicks ??= ticksNow();
    return remainsOf(this.#footprint, this.#endTicks ?? Infinity, this.#strangers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#programs) child.stdin?.destroy();
    this.#endTicks ??= ticksNow();
    this.#strangers = strangersTo(this.#footprint);
    await this.client.stop();
    expect(this.remains()).toEqual([]);
  }
}

/** A program that runs in a pod: it writes lines of JSON, and ends when its input does. */
export class PodProgram {
  readonly child: ChildProcess;
  readonly #lines: string[];
  readonly #closed: Promise<unknown>;

  private constructor(child: ChildProcess, lines: string[], closed: Promise<unknown>) {
    this.child = child;
    this.#lines = lines;
    this.#closed = closed;
  }

  static async started(child: ChildProcess): Promise<PodProgram> {
    const lines: string[] = [];
    const closed = once(child, 'close');
    const reader = createInterface({ input: given(child.stdout ?? undefined, 'its output is a pipe') });
    const first = once(reader, 'line');
    reader.on('line', (line) => lines.push(line));
    child.stdin?.on('error', () => undefined); // it may have ended
    const begun = await Promise.race([first.then(() => true), closed.then(() => false)]);
    if (!begun) throw new Error(`${child.spawnargs.join(' ')} ended with exit code ${child.exitCode}`);
    return new PodProgram(child, lines, closed);
  }

  /** Lines so far, without the first. */
  get lines(): readonly string[] {
    return this.#lines.slice(1);
  }

  /** Resolves when it has ended, with its exit code; null if a signal ended it. */
  async ended(): Promise<number | null> {
    await this.#closed;
    return this.child.exitCode;
  }

  /** Ends its input, waits for its end and reads its last line. */
  async finish<Result>(): Promise<Result> {
    this.child.stdin?.end();
    await this.#closed;
    return JSON.parse(this.#lines.at(-1) ?? '') as Result;
  }
}

/** A pod that idles, for programs that a test runs in it, unless it is given containers. `key` is NAMESPACE/NAME. */
export function podManifest(key: string, spec: object = { containers: [{ name: 'main', image: 'idle' }] }): string {
  const [namespace, name] = key.split('/');
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name }, spec })}\n---\n`;
}

/** A policy. `key` is NAMESPACE/NAME, `spec` YAML in flow style. */
export function policyManifest(key: string, spec: string): string {
  const [namespace, name] = key.split('/');
  const head = `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n`;
  return `${head}metadata: { namespace: ${namespace}, name: ${name} }\nspec: ${spec}\n---\n`;
}

/** A manifest for apply(). */
export function manifestFile(text: string): ManifestFile {
  return { path: 'test.yaml', text };
}

/** The namespaces of a lab, as links in /proc name them: `net:[4026532000]`. */
export type Footprint = ReadonlySet<string>;

/** The namespaces that a lab's process is in and that it holds open, but for those that it shares with this one. */
function footprintOf(pid: number): Footprint {
  const own = new Set(namespacesOf('self'));
  return new Set(namespacesOf(String(pid)).filter((namespace) => !own.has(namespace)));
}

/**
 * Processes that are in such a namespace or hold one open, and mounts of one. The kernel gives numbers of namespaces
 * away again, to labs of other tests: so processes that started after `endTicks` do not count, nor `strangers`.
 */
function remainsOf(footprint: Footprint, endTicks: number, strangers: ReadonlySet<string>): string[] {
  const processes = readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && !strangers.has(name) && Number(startTicks(Number(name)) ?? Infinity) <= endTicks,
  );
  const held = processes.flatMap((pid) => {
    const namespaces = namespacesOf(pid).filter((namespace) => footprint.has(namespace));
    return namespaces.length > 0 ? [`process ${pid} ${commandOf(pid)}: ${namespaces.join(' ')}`] : [];
  });
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => [...footprint].some((namespace) => line.includes(namespace)));
  return [...held, ...mounts];
}

/** Processes that have nothing of a lab while it lives, such as another test's: what they have later is not the lab's. */
function strangersTo(footprint: Footprint): ReadonlySet<string> {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return new Set(processes.filter((pid) => !namespacesOf(pid).some((namespace) => footprint.has(namespace))));
}

/** The present moment as startTicks() counts: hundredths of a second since boot. */
function ticksNow(): number {
  return Math.floor(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 100);
}

function namespacesOf(pid: string): string[] {
  const links = ['ns', 'fd'].flatMap((folder) => linksIn(`/proc/${pid}/${folder}`));
  return [...new Set(links)].filter((link) => /^(?:net|mnt|pid|user|uts):\[\d+\]$/.test(link));
}

function linksIn(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap((name) => linkAt(join(folder, name)));
  } catch {
    return []; // the process has ended
  }
}

function linkAt(path: string): string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return []; // closed meanwhile
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
