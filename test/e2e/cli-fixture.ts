import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { chownSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect } from 'vitest';
import type { ExternalHost, LabStatus, PodStatus } from '../../src/lab/lab-client.ts';
import { HttpLabClient } from '../../src/lab/http-client.ts';
import { isAlive, labPaths, type LabRecord } from '../../src/lab/state-folder.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = 'src/cli/netpol-lab.ts';
const NODE_FOLDER = 'node_modules/.bin';
const NOBODY = 65534;
const DEADLINE_MS = 55_000; // a program that hangs fails its test with what it has printed

// An ordinary user may not be able to enter the folder that this checkout is in, but it can enter /mnt.
const AS_NOBODY = `mount --bind "$0" /mnt && exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups "$@"`;

// Which Docker engine the tests have, if any; empty is as good as not set.
const ENGINE = ['DOCKER_HOST', 'DOCKER_CONFIG'];

/** What a program did. `exit` is 128 + the signal's number if one ended it. */
export interface Outcome {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs. */
export interface Running {
  readonly pid: number;
  readonly stdin: Writable;
  /** Resolves when it has printed the text, to stdout or stderr. */
  printed(text: string): Promise<void>;
  /** The same for a pattern. @returns what matched. */
  matched(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<Outcome>;
}

/** How a program is started. `ordinary` users are nobody if root runs the tests, others who runs them. `path` is searched first. */
export interface UserOptions {
  readonly ordinary?: boolean;
  readonly path?: string;
}

/** A user with a home and labs of its own, who types command lines. */
export class CliUser implements AsyncDisposable {
  readonly home: string;
  readonly #options: UserOptions;
  readonly #running = new Set<ChildProcessByStdio<Writable, Readable, Readable>>();

  private constructor(home: string, options: UserOptions) {
    this.home = home;
    this.#options = options;
  }

  get #isNobody(): boolean {
    return isNobody(this.#options);
  }

  static async create(options: UserOptions = {}): Promise<CliUser> {
    const home = await mkdtemp(join(tmpdir(), 'npl-'));
    if (isNobody(options)) chownSync(home, NOBODY, NOBODY);
    return new CliUser(home, options);
  }

  /** What stands before the arguments of netpol-lab on a command line. */
  get program(): readonly string[] {
    const { path } = this.#options;
    const root = this.#isNobody ? '/mnt' : ROOT;
    const node = join(root, NODE_FOLDER);
    const search = [...(path === undefined ? [] : [path]), node, process.env.PATH ?? ''].join(delimiter);
    const environment = ['env', '-i', `PATH=${search}`, `HOME=${this.home}`, `XDG_RUNTIME_DIR=${this.home}`];
    environment.push(...ENGINE.map((name) => `${name}=${process.env[name] ?? ''}`));
    const command = [...environment, 'LANG=C', 'TERM=xterm', join(node, 'node'), join(root, PROGRAM)];
    return this.#isNobody ? ['unshare', '--mount', 'sh', '-c', AS_NOBODY, ROOT, ...command] : command;
  }

  /** Runs `netpol-lab` with these arguments to its end. */
  run(args: readonly string[], input = ''): Promise<Outcome> {
    const running = this.start(args);
    running.stdin.end(input);
    return running.ended;
  }

  /** Starts `netpol-lab` with these arguments. */
  start(args: readonly string[]): Running {
    return this.startProgram([...this.program, ...args]);
  }

  /** Starts any program. */
  startProgram([file = 'false', ...args]: readonly string[]): Running {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#running.add(child);
    child.stdin.on('error', () => undefined); // a program need not read its input
    let stdout = '';
    let stderr = '';
    const waiting = new Set<() => void>();
    const heard = (): void => {
      for (const look of waiting) look();
    };
    child.stdout
      .setEncoding('utf8')
      .on('data', (text: string) => (stdout += text))
      .on('data', heard);
    child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (stderr += text))
      .on('data', heard);
    const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    const ended = once(child, 'close').then(([code, signal]: (number | NodeJS.Signals | null)[]): Outcome => {
      clearTimeout(deadline);
      this.#running.delete(child);
      const number = signal === null ? 0 : constants.signals[signal as NodeJS.Signals];
      return { exit: typeof code === 'number' ? code : 128 + number, stdout, stderr };
    });
    const matched = (pattern: RegExp): Promise<RegExpExecArray> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(`${stdout}${stderr}`);
          if (match) resolve(match);
        };
        waiting.add(look);
        look();
        void ended.then(() => {
          reject(new Error(`nothing like ${String(pattern)} in: ${stdout}${stderr}`));
        });
      });
    const printed = async (text: string): Promise<void> => {
      await matched(new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
    };
    return { pid: child.pid ?? 0, stdin: child.stdin, printed, matched, ended };
  }

  /** Writes files into a new folder. @returns its path. */
  async folder(files: Readonly<Record<string, string>>): Promise<string> {
    const folder = await mkdtemp(join(this.home, 'files-'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    if (this.#isNobody) spawnSync('chown', ['-R', `${NOBODY}:${NOBODY}`, folder]);
    return folder;
  }

  /** Names in the folder that holds the state of this user's labs. */
  async labFolders(): Promise<string[]> {
    return readdir(join(this.home, 'netpol-lab')).catch(() => []);
  }

  /** The record of a lab. @throws if there is none (yet). */
  async record(name: string): Promise<LabRecord> {
    return JSON.parse(await readFile(join(this.home, 'netpol-lab', name, 'lab.json'), 'utf8')) as LabRecord;
  }

  /** Ends this user's labs and programs. @throws if a lab left something in the state folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL');
    const down = await this.run(['down', '--all']);
    const left = await this.labFolders();
    for (const name of left) {
      const record = await this.record(name).catch(() => undefined);
      if (record && isAlive(record)) process.kill(record.launcherPid, 'SIGKILL');
    }
    await rm(this.home, { recursive: true, force: true });
    expect({ exit: down.exit, left }, down.stderr).toEqual({ exit: 0, left: [] });
  }
}

function isNobody({ ordinary = false }: UserOptions): boolean {
  return ordinary && process.getuid?.() === 0;
}

/** What a lab is started from. */
export interface LabSetup extends UserOptions {
  readonly manifests: readonly object[];
  readonly external?: readonly ExternalHost[];
  /** More arguments for `up`. */
  readonly flags?: readonly string[];
  /** Some of its pods never become ready, which `up` answers with 1. */
  readonly unready?: boolean;
}

let labs = 0;

/** A running lab, as its user sees it. */
export class CliLab {
  readonly name = `e2e-${process.pid}-${labs++}`;
  readonly #setup: LabSetup;
  #user: CliUser | undefined;

  constructor(setup: LabSetup) {
    this.#setup = setup;
  }

  get user(): CliUser {
    if (!this.#user) throw new Error('the lab is not up');
    return this.#user;
  }

  /** The lab's own interface, for what the command line does not show. */
  get client(): HttpLabClient {
    return new HttpLabClient(this.name, labPaths(join(this.user.home, 'netpol-lab'), this.name));
  }

  /** Starts it as `up FOLDER` does. */
  async up(): Promise<Outcome> {
    const { manifests, external = [], flags = [] } = this.#setup;
    this.#user = await CliUser.create(this.#setup);
    const hosts = external.map((host) => ({
      ...host,
      ports: host.ports.map(({ port, protocol }) => `${port}/${protocol}`),
    }));
    const lab = { title: 'A test', teaches: 'Nothing', manifests: ['cluster.yaml'], external: hosts };
    const files = { 'lab.yaml': JSON.stringify(lab), 'cluster.yaml': yaml(manifests) };
    const outcome = await this.user.run(['up', await this.user.folder(files), '--name', this.name, ...flags]);
    expect(outcome.exit, outcome.stderr).toBe(this.#setup.unready === true ? 1 : 0);
    return outcome;
  }

  /** Ends it. */
  async down(): Promise<void> {
    await this.#user?.[Symbol.asyncDispose]();
  }

  /** Runs a verb on this lab. */
  run(verb: string, args: readonly string[], input = ''): Promise<Outcome> {
    return this.user.run([verb, '--lab', this.name, ...args], input);
  }

  /** Runs a command in a pod: words as they are typed, or a list of arguments. */
  exec(pod: string, command: string | readonly string[], input = ''): Promise<Outcome> {
    const words = typeof command === 'string' ? command.split(' ') : command;
    return this.run('exec', [pod, '--', ...words], input);
  }

  /** Runs a shell script in a pod. */
  shell(pod: string, script: string): Promise<Outcome> {
    return this.exec(pod, ['sh', '-c', script]);
  }

  /** Applies objects; they are enforced when it returns. */
  async apply(...objects: readonly object[]): Promise<void> {
    const outcome = await this.run('apply', ['-f', '-'], yaml(objects));
    expect(outcome.exit, outcome.stderr).toBe(0);
  }

  status(): Promise<LabStatus> {
    return this.client.status();
  }

  /** A pod of the namespace default. */
  async pod(name: string): Promise<PodStatus> {
    const { pods } = await this.status();
    const pod = pods.find((each) => each.namespace === 'default' && each.name === name);
    if (!pod) throw new Error(`no pod ${name} among ${pods.map((each) => each.name).join(' ')}`);
    return pod;
  }
}

/** A lab for all tests of a file or a group. */
export function useLab(setup: LabSetup): CliLab {
  const lab = new CliLab(setup);
  beforeAll(() => lab.up());
  afterAll(() => lab.down());
  return lab;
}

/** Tries again until it gets a value. @throws after 20 s. */
export async function eventually<T>(attempt: () => T | undefined | Promise<T | undefined>, what: string): Promise<T> {
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline) {
    const value = await attempt();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`it never happened that ${what}`);
}

/** Objects as one file of manifests. */
export function yaml(objects: readonly object[]): string {
  return objects.map((object) => JSON.stringify(object)).join('\n---\n');
}

/** A container that serves on ports such as `8080/TCP` or `http=8080/TCP`. */
export function serving(...ports: readonly string[]): object {
  return {
    name: 'server',
    image: 'example.com/server',
    ports: ports.map((text) => {
      const [, name, number, protocol] = /^(?:(.+)=)?(\d+)\/(\w+)$/.exec(text) ?? [];
      return { ...(name === undefined ? {} : { name }), containerPort: Number(number), protocol };
    }),
  };
}

/** A pod with the label `app: NAME`; it idles unless it is given containers. */
export function pod(name: string, spec: object = {}, namespace = 'default'): object {
  const metadata = { name, namespace, labels: { app: name } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { containers: [{ name: 'main', image: 'busybox' }], ...spec },
  };
}

/** A Service for the pods with the label `app: NAME`, unless its spec says another selector. */
export function service(name: string, spec: object, namespace = 'default'): object {
  const dual = { ipFamilyPolicy: 'PreferDualStack' };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: { app: name }, ...dual, ...spec },
  };
}

/** A NetworkPolicy on the pods with the label `app: APP`. */
export function policy(name: string, app: string, rules: object): object {
  const spec = { podSelector: { matchLabels: { app } }, ...rules };
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: 'default' }, spec };
}
