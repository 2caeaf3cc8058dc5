import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { FlowEvent } from '../../src/flows/flow-event.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/netpol-lab.ts', import.meta.url));
const SHIPPED = fileURLToPath(new URL('../../labs', import.meta.url));
const ALL_MS = 180_000; // what all labs may take on two cores
const RUN_MS = 60_000; // each denied curl takes its 3 s; on a busy machine starting takes some, too

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netpol-lab-test-'));
});

afterEach(async () => {
  expect(await runningLabs()).toEqual([]);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program; `onOutput` sees stdout as far as it has come. Its labs are apart from others of this user. */
async function netpolLab(
  args: readonly string[],
  onOutput: (stdout: string, interrupt: () => void) => void = () => undefined,
): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, XDG_RUNTIME_DIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    onOutput(stdout, () => child.kill('SIGINT'));
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

async function runningLabs(): Promise<unknown> {
  const { stdout } = await netpolLab(['labs', '-o', 'json']);
  return (JSON.parse(stdout) as { running: unknown }).running;
}

interface RunReport {
  readonly labs: readonly {
    readonly name: string;
    readonly steps: readonly {
      readonly expectations: readonly {
        readonly failures: readonly string[];
        readonly decisive: FlowEvent | null;
        readonly flows: readonly FlowEvent[];
      }[];
    }[];
  }[];
  readonly met: number;
  readonly failed: number;
}

/** A flow's verdict and what decided: `deny ingress:default-deny-ingress`. */
function verdictOf(flow: FlowEvent | null): string {
  if (!flow) return 'none';
  const decisive = (['egress', 'ingress'] as const).filter((direction) =>
    flow.verdict === 'deny' ? flow[direction].verdict === 'deny' : flow[direction].isolated,
  );
  const policies = decisive.map(
    (direction) => `${direction}:${flow[direction].policies.map(({ name }) => name).join('+')}`,
  );
  return [flow.verdict, ...policies].join(' ');
}

const VERDICTS = {
  'default-deny': [
    ['allow', 'allow', 'allow', 'allow'],
    ['deny ingress:default-deny-ingress', 'deny ingress:default-deny-ingress', 'allow'],
    [
      'allow ingress:allow-from-app',
      'deny ingress:default-deny-ingress+allow-from-app',
      'deny ingress:default-deny-ingress+allow-from-app',
    ],
    ['allow ingress:allow-from-namespace', 'deny ingress:default-deny-ingress+allow-from-app+allow-from-namespace'],
    ['allow ingress:allow-from-app'],
    ['allow', 'allow'],
  ],
  'dns-egress': [
    Array<string>(7).fill('allow'),
    ['deny egress:default-deny-egress', 'deny egress:default-deny-egress', 'deny egress:default-deny-egress'],
    ['allow egress:allow-dns', 'allow egress:allow-dns', 'deny egress:default-deny-egress+allow-dns'],
    [
      'allow egress:allow-egress-cidr',
      'deny egress:default-deny-egress+allow-dns+allow-egress-cidr',
      'deny egress:default-deny-egress+allow-dns+allow-egress-cidr',
    ],
  ],
  'default-deny-all': [
    ['allow', 'allow', 'allow', 'allow'],
    ['deny egress:default-deny-all', 'deny egress:default-deny-all ingress:default-deny-all'],
    ['allow egress:allow-dns', 'deny ingress:default-deny-all'],
    [
      'allow egress:allow-client-egress ingress:allow-web-ingress',
      'deny egress:default-deny-all+allow-dns ingress:default-deny-all',
    ],
    ['deny egress:default-deny-all+allow-dns'],
  ],
  'egress-gateway': [
    ['allow', 'allow', 'allow', 'allow'],
    ['deny egress:client-egress', 'deny egress:client-egress', 'deny egress:client-egress'],
    ['allow egress:allow-api-address', 'allow egress:allow-api-address', 'deny egress:client-egress+allow-api-address'],
    [
      'deny egress:client-egress+allow-api-address',
      'allow egress:allow-api-address',
      'deny egress:client-egress+allow-api-address',
    ],
  ],
};

/** Denials of real connections that do not lead to a line of a policy's file. */
async function unexplained(labs: RunReport['labs']): Promise<string[]> {
  const flows = labs
    .flatMap(({ steps }) => steps.flatMap(({ expectations }) => expectations.flatMap((each) => each.flows)))
    .filter(({ verdict }) => verdict === 'deny');
  expect(flows.length).toBeGreaterThan(labs.length);
  const missing: string[] = [];
  for (const flow of flows) {
    const sides = [flow.egress, flow.ingress].filter(({ verdict }) => verdict === 'deny');
    for (const { policies, nearest } of sides) {
      const places = [...policies, ...(nearest ? [nearest] : [])];
      if (policies.length === 0 || !nearest) missing.push(`${JSON.stringify(flow)}: no policy, or no nearest miss`);
      for (const { file, line, name } of places) {
        const text = await readFile(file, 'utf8').catch(() => '');
        if (line < 1 || line > text.split('\n').length || !text.includes(name)) missing.push(`${name} ${file}:${line}`);
      }
    }
  }
  return missing;
}

test(
  'the shipped labs do what they say, by the policies that they say, all within the time that they may take',
  async () => {
    const { code, stdout, stderr } = await netpolLab(['run', '--all', '-o', 'json']);
    expect(stderr).toBe('');
    const { labs, failed } = JSON.parse(stdout) as RunReport;
    const failures = labs
      .flatMap(({ steps }) => steps)
      .flatMap(({ expectations }) => expectations.flatMap((each) => each.failures));
    expect(failures).toEqual([]);
    expect(await unexplained(labs)).toEqual([]);
    const verdicts = labs
      .filter(({ name }) => Object.hasOwn(VERDICTS, name))
      .map(({ name, steps }) => [
        name,
        steps.map(({ expectations }) => expectations.map(({ decisive }) => verdictOf(decisive))),
      ]);
    expect(Object.fromEntries(verdicts)).toEqual(VERDICTS);
    expect({ failed, code }).toEqual({ failed: 0, code: 0 });
  },
  ALL_MS,
);

/** A copy of a shipped lab with another lab.yaml. */
async function variant(lab: string, change: (text: string) => string): Promise<string> {
  const copy = await mkdtemp(join(folder, 'variant-'));
  await cp(join(SHIPPED, lab), copy, { recursive: true });
  const file = join(copy, 'lab.yaml');
  await writeFile(file, change(await readFile(file, 'utf8')));
  return copy;
}

/** A lab of one step, which fails. */
const BROKEN = `
title: t
teaches: u
manifests: [cluster.yaml]
steps:
  - text: broken on purpose
    apply: [default-deny-ingress.yaml]
    expect:
      - run: curl -sS -m 1 http://web
        in: default/client
      - connect: { from: default/frontend, to: default/web, port: 80 }
        verdict: allow
        within: 500ms
      - connect: { from: default/web, to: prod/client, port: 80 }
        verdict: deny
        within: 500ms
      - run: sleep 30
        in: default/client
        within: 300ms
      - run: echo fine
        in: default/client
        output: ^fine$
`;

test(
  'an expectation that is not met is shown with what was met instead, and exits with 1',
  async () => {
    const { code, stdout } = await netpolLab(['run', await variant('default-deny', () => BROKEN)]);
    const told = stdout.split('\n').map((line) => line.trim());
    expect(told.filter((line) => /^(?:ok|FAILED)/.test(line))).toEqual([
      'FAILED expected exit code 0, got 28',
      'FAILED expected allow, got timeout',
      'FAILED expected deny, got refused',
      'FAILED expected it to end within 0.3 s, it did not',
      'ok',
    ]);
    expect(told).toContain('default/client $ curl -sS -m 1 http://web');
    expect(stdout).toMatch(
      /denied default\/client -> default\/web 80\/TCP\n +ingress denied: isolated by default\/default-deny-ingress \(.*default-deny-ingress\.yaml:1\)/,
    );
    expect(stdout).toMatch(/\n1 expectations met, 4 failed in [0-9.]+ s\n$/);
    expect(code).toBe(1);
  },
  RUN_MS,
);

test(
  'a step whose manifest is invalid ends the run with 2 and the lab with it',
  async () => {
    const lab = await variant('default-deny', () => BROKEN);
    const policy = join(lab, 'default-deny-ingress.yaml');
    await writeFile(policy, (await readFile(policy, 'utf8')).replace('Ingress', 'Sideways'));
    const { code, stderr } = await netpolLab(['run', lab]);
    expect(stderr).toContain('default-deny-ingress.yaml:8');
    expect(stderr).toContain('spec.policyTypes[0]: Unsupported value: "Sideways"');
    expect(code).toBe(2);
  },
  RUN_MS,
);

test(
  'trouble of one lab does not end the others; what was found of each is in the report',
  async () => {
    const broken = await variant('default-deny', () => BROKEN);
    const fine = await variant('default-deny', () => BROKEN.replace(/expect:[^]*(?=- run: echo)/, 'expect:\n      '));
    await writeFile(join(broken, 'default-deny-ingress.yaml'), '{ apiVersion: v1, kind: Pod, metadata: {} }');
    const { code, stdout, stderr } = await netpolLab(['run', broken, fine, '--jobs', '1', '-o', 'junit']);
    const suites = stdout.split('</testsuite>').map((suite) => /tests="\d+" failures="\d+"/.exec(suite)?.[0]);
    expect(suites).toEqual(['tests="1" failures="1"', 'tests="1" failures="0"', undefined]);
    expect(stdout).toContain('<testcase name="step 1: default/client $ echo fine"');
    expect(stderr).toMatch(/^error: .*default-deny-ingress\.yaml:1/);
    expect(code).toBe(2);
  },
  RUN_MS,
);

test(
  'Ctrl-C in the middle of a command ends the labs, those in the background too',
  async () => {
    const sleepy = BROKEN.replace('curl -sS -m 1 http://web', 'sleep 30');
    const labs = await Promise.all([variant('default-deny', () => sleepy), variant('default-deny', () => sleepy)]);
    let interrupted = false;
    const { code, stderr } = await netpolLab(['run', ...labs], (stdout, interrupt) => {
      if (interrupted || !stdout.includes('in force after')) return;
      interrupted = true;
      interrupt();
    });
    expect(stderr).toBe('');
    expect(code).toBe(130);
  },
  RUN_MS,
);
