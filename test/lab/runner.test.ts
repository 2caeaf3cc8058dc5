import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadLab } from '../../src/lab/lab-file.ts';
import type { ExpectationResult } from '../../src/lab/trial.ts';
import { isMet, runLab, type RunEvent, type StepResult } from '../../src/lab/runner.ts';
import { LabError } from '../../src/model/lab-error.ts';
import { flow, LabDouble, podStatus, type Script } from './lab-double.ts';

let folder = '';
let double = new LabDouble();
let events: RunEvent[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runner-'));
  double = new LabDouble();
  events = [];
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function run(steps: string, signal = new AbortController().signal): Promise<StepResult[]> {
  const names = ['cluster', 'one', 'two', 'three'];
  await Promise.all(names.map((name) => writeFile(join(folder, `${name}.yaml`), name)));
  await writeFile(join(folder, 'lab.yaml'), `{ title: t, teaches: u, manifests: [cluster.yaml], steps: ${steps} }`);
  const report = (event: RunEvent): unknown => events.push(event);
  return runLab(await loadLab(folder), double.client, { host: double, report, signal });
}

/** Runs one expectation. */
async function attempt(expectation: string, script: Script): Promise<ExpectationResult> {
  double.script.push(script);
  const [step] = await run(`[{ text: s, expect: [${expectation}] }]`);
  const [result] = step?.expectations ?? [];
  if (!result) throw new Error('no result');
  return result;
}

describe('order', () => {
  test('a step applies, deletes, labels, then tries; steps follow each other', async () => {
    const labels = '[{ pod: default/web, labels: { a: b, c: null } }, { namespace: prod, labels: { d: e } }]';
    await run(`[
      { text: one, apply: [one.yaml, two.yaml], delete: [three.yaml], label: ${labels},
        expect: [{ run: curl -m 3 http://web, in: default/client, within: 5s },
                 { connect: { from: default/client, to: default/web, port: 53/UDP }, verdict: allow }] },
      { text: two, expect: [{ run: 'true', in: default/deployment/api }] },
    ]`);
    expect(double.calls).toEqual([
      'apply one two',
      'delete three',
      'label Pod default/web {"a":"b","c":null} true',
      'label Namespace /prod {"d":"e"} true',
      'exec default/client sh -c curl -m 3 http://web 5000',
      'probe {"from":"default/client","to":"default/web","protocol":"UDP","port":53,"timeoutMs":2000}',
      'exec default/api-x sh -c true 20000',
    ]);
  });

  test('what happens is reported as it happens', async () => {
    const results = await run(`[
      { text: one, apply: [one.yaml], expect: [{ run: 'true', in: default/client }] },
      { text: two, expect: [{ run: 'false', in: default/client }] },
    ]`);
    expect(events.map(({ kind }) => kind)).toEqual(['step', 'change', 'expectation', 'step', 'expectation']);
    expect(results.map(({ text }) => text)).toEqual(['one', 'two']);
  });

  test('a change is shown as a user would type it', async () => {
    await run(`[{ text: s, apply: [one.yaml, two.yaml], label: [{ pod: a/b, labels: { k: v, z: null } }] }]`);
    const commands = events.flatMap((event) => (event.kind === 'change' ? [event.change.command] : []));
    const [one, two] = ['one', 'two'].map((name) => join(folder, `${name}.yaml`));
    expect(commands).toEqual([`apply -f ${one} -f ${two}`, 'label pod b k=v z- -n a --overwrite']);
  });
});

describe('trouble', () => {
  test('an expectation that fails ends neither the step nor the run', async () => {
    double.script.push({ command: { exit: 1 } }, {}, { command: { exit: 2 } });
    const expectation = "{ run: 'true', in: default/client }";
    const results = await run(`[
      { text: one, expect: [${expectation}, ${expectation}] },
      { text: two, expect: [${expectation}] },
    ]`);
    expect(results.map(({ expectations }) => expectations.map(isMet))).toEqual([[false, true], [false]]);
  });

  test('a change that the lab refuses ends the run before anything is tried', async () => {
    const issue = { file: 'one.yaml', line: 3, kind: 'NetworkPolicy', namespace: 'default', name: 'p' };
    double.change = {
      ...double.change,
      issues: [{ ...issue, field: 'spec', type: 'FieldValueInvalid', message: 'bad' }],
    };
    const steps = "[{ text: s, apply: [one.yaml], expect: [{ run: 'true', in: default/client }] }]";
    const error: unknown = await run(steps).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LabError);
    expect(error).toMatchObject({ code: 'usage', message: 'one.yaml:3 NetworkPolicy default/p: spec: bad' });
    expect(double.calls).toEqual(['apply one']);
  });

  test('an abort ends the run between two expectations', async () => {
    const abort = new AbortController();
    const original = double.execCapture.bind(double);
    double.execCapture = (...given) => {
      abort.abort(new Error('enough'));
      return original(...given);
    };
    const expectation = "{ run: 'true', in: default/client }";
    const steps = `[{ text: s, expect: [${expectation}, ${expectation}] }]`;
    await expect(run(steps, abort.signal)).rejects.toThrow('enough');
    expect(double.calls).toHaveLength(1);
  });
});

describe('a command', () => {
  interface Case {
    readonly name: string;
    readonly fields: string;
    readonly command: NonNullable<Script['command']>;
    readonly failures: readonly string[];
  }

  const CASES: readonly Case[] = [
    { name: 'exit code 0 by default', fields: '', command: { exit: 0 }, failures: [] },
    { name: 'another exit code', fields: '', command: { exit: 28 }, failures: ['expected exit code 0, got 28'] },
    { name: 'the exit code that is wanted', fields: 'exit: 28', command: { exit: 28 }, failures: [] },
    {
      name: 'success where a failure is wanted',
      fields: 'exit: 28',
      command: { exit: 0 },
      failures: ['expected exit code 28, got 0'],
    },
    {
      name: 'output that matches in its second line',
      fields: 'output: ^timed',
      command: { output: 'a\ntimed out' },
      failures: [],
    },
    {
      name: 'output that does not match',
      fields: 'output: ^out',
      command: { output: 'timed out' },
      failures: ['expected output like /^out/, there is none'],
    },
    {
      name: 'wrong in both',
      fields: 'exit: 1, output: x',
      command: { exit: 2, output: 'z' },
      failures: ['expected exit code 1, got 2', 'expected output like /x/, there is none'],
    },
    {
      name: 'too slow',
      fields: 'exit: 137, within: 1500ms',
      command: { exit: 137, timedOut: true },
      failures: ['expected it to end within 1.5 s, it did not'],
    },
  ];

  test.each(CASES)('$name', async ({ fields, command, failures }) => {
    const result = await attempt(`{ run: x, in: default/client, ${fields} }`, { command });
    expect(result.failures).toEqual(failures);
  });
});

describe('a connection', () => {
  const denied: Script['flows'] = [{ from: 'default/client', verdict: 'deny' }];
  const allowed: Script['flows'] = [{ from: 'default/client' }];
  const connected = { outcome: 'connected', allowed: true } as const;
  const refused = { outcome: 'refused', allowed: true } as const;
  const timeout = { outcome: 'timeout', allowed: false } as const;
  const rejected = { outcome: 'rejected', allowed: false } as const;
  const unreachable = { outcome: 'unreachable', allowed: false } as const;

  interface Case {
    readonly name: string;
    readonly want: 'allow' | 'deny';
    readonly deny?: 'drop' | 'reject';
    readonly script: Script;
    readonly failures: readonly string[];
  }

  const CASES: readonly Case[] = [
    { name: 'connected', want: 'allow', script: { probe: connected, flows: allowed }, failures: [] },
    {
      name: 'refused by the far side: the network let it through',
      want: 'allow',
      script: { probe: refused },
      failures: [],
    },
    {
      name: 'timed out',
      want: 'allow',
      script: { probe: timeout, flows: denied },
      failures: ['expected allow, got timeout'],
    },
    { name: 'no route', want: 'allow', script: { probe: unreachable }, failures: ['expected allow, got unreachable'] },
    { name: 'timed out by a policy', want: 'deny', script: { probe: timeout, flows: denied }, failures: [] },
    {
      name: 'connected after all',
      want: 'deny',
      script: { probe: connected },
      failures: ['expected deny, got connected'],
    },
    { name: 'refused after all', want: 'deny', script: { probe: refused }, failures: ['expected deny, got refused'] },
    {
      name: 'silence that no policy made',
      want: 'deny',
      script: { probe: timeout, flows: allowed },
      failures: ['expected deny, got timeout, but no policy denied it'],
    },
    {
      name: 'silence without a packet',
      want: 'deny',
      script: { probe: timeout },
      failures: ['expected deny, got timeout, but no policy denied it'],
    },
    {
      name: 'no route is no denial',
      want: 'deny',
      script: { probe: unreachable, flows: denied },
      failures: ['expected deny (timeout), got unreachable'],
    },
    {
      name: 'rejected where denied packets vanish',
      want: 'deny',
      script: { probe: rejected, flows: denied },
      failures: ['expected deny (timeout), got rejected'],
    },
    {
      name: 'rejected where they are refused',
      want: 'deny',
      deny: 'reject',
      script: { probe: rejected, flows: denied },
      failures: [],
    },
    {
      name: 'silence where they are refused',
      want: 'deny',
      deny: 'reject',
      script: { probe: timeout, flows: denied },
      failures: ['expected deny (rejected), got timeout'],
    },
  ];

  test.each(CASES)('$want: $name', async ({ want, deny = 'drop', script, failures }) => {
    double.deny = deny;
    const expectation = `{ connect: { from: default/client, to: default/web, port: 80 }, verdict: ${want} }`;
    expect((await attempt(expectation, script)).failures).toEqual(failures);
  });
});

describe('flows', () => {
  const curl = '{ run: x, in: default/client }';
  const failing = '{ run: x, in: default/client, exit: 28 }';

  test('of before, and of other pods, are left out', async () => {
    double.events.push(flow({ at: double.now() - 1, from: 'default/client', port: 1 }));
    const { flows } = await attempt(curl, {
      flows: [
        { from: 'default/other', port: 2 },
        { from: 'default/client', port: 3 },
        { from: 'node', port: 4 },
      ],
    });
    expect(flows.map(({ port }) => port)).toEqual([3]);
  });

  test('of a workload are those of its pods', async () => {
    const expectation = '{ connect: { from: default/deployment/api, to: default/web, port: 80 }, verdict: allow }';
    const { flows } = await attempt(expectation, {
      flows: [
        { from: 'default/api-7d-x1', port: 1 },
        { from: 'default/apis', port: 2 },
      ],
    });
    expect(flows.map(({ port }) => port)).toEqual([1]);
  });

  test('of an address are those that come from it', async () => {
    const expectation = '{ connect: { from: 10.244.0.5, to: default/web, port: 80 }, verdict: allow }';
    expect((await attempt(expectation, { flows: [{ from: '' }] })).flows).toHaveLength(1);
  });

  test('of a connection are of its protocol', async () => {
    const expectation = '{ connect: { from: default/client, to: default/web, port: 53/UDP }, verdict: allow }';
    const { decisive } = await attempt(expectation, {
      flows: [{ from: 'default/client', protocol: 'UDP' }, { from: 'default/client' }],
    });
    expect(decisive?.protocol).toBe('UDP');
  });

  const dns = { from: 'default/client', protocol: 'UDP', port: 53 } as const;
  const web = { from: 'default/client' } as const;

  const deniedDns = { ...dns, verdict: 'deny' } as const;

  interface Case {
    readonly name: string;
    readonly expectation: string;
    readonly script: Script;
    readonly port: number | undefined;
  }

  const CASES: readonly Case[] = [
    {
      name: 'the last one, if the command succeeded',
      expectation: curl,
      script: { flows: [deniedDns, web] },
      port: 80,
    },
    {
      name: 'the denied one, if it failed',
      expectation: failing,
      script: { command: { exit: 28 }, flows: [deniedDns, web] },
      port: 53,
    },
    {
      name: 'the last one, if it failed and none was denied',
      expectation: failing,
      script: { command: { exit: 28 }, flows: [dns, web] },
      port: 80,
    },
    {
      name: 'the denied one, if it was too slow',
      expectation: curl,
      script: { command: { timedOut: true }, flows: [deniedDns, web] },
      port: 53,
    },
    { name: 'none, if no packet left', expectation: curl, script: {}, port: undefined },
  ];

  test.each(CASES)('the decisive one is $name', async ({ expectation, script, port }) => {
    expect((await attempt(expectation, script)).decisive?.port).toBe(port);
  });
});

describe('who denies', () => {
  const denied: Script = { command: { exit: 28 }, flows: [{ from: 'default/client', verdict: 'deny' }] };
  const allowed: Script = { command: { exit: 28 }, flows: [{ from: 'default/client' }] };

  test.each([
    { name: 'the side that is meant', denied: '[ingress]', script: denied, failures: [] },
    { name: 'nobody, as is meant', denied: '[]', script: allowed, failures: [] },
    {
      name: 'the other side',
      denied: '[egress]',
      script: denied,
      failures: ['expected egress to deny, got ingress'],
    },
    {
      name: 'nobody, though the command failed',
      denied: '[egress, ingress]',
      script: allowed,
      failures: ['expected egress and ingress to deny, got neither side'],
    },
  ])('$name', async ({ denied, script, failures }) => {
    const result = await attempt(`{ run: x, in: default/client, exit: 28, denied: ${denied} }`, script);
    expect(result.failures).toEqual(failures);
  });
});

describe('a pod that is watched', () => {
  test.each([
    {
      is: 'ready',
      pods: [[podStatus({ phase: 'Pending' })], [podStatus({ ready: false })], [podStatus()]],
      failures: [],
    },
    { is: 'unready', pods: [[podStatus()], [podStatus({ ready: false })]], failures: [] },
    { is: 'gone', pods: [[podStatus()], [podStatus({ name: 'other' })]], failures: [] },
    { is: 'succeeded', pods: [[podStatus({ phase: 'Succeeded' })]], failures: [] },
    {
      is: 'succeeded',
      pods: [[podStatus({ phase: 'Failed' })]],
      failures: ['expected succeeded within 1 s, got failed'],
    },
    { is: 'ready', pods: [[podStatus({ phase: 'Pending' })]], failures: ['expected ready within 1 s, got pending'] },
  ])('is to be $is: $failures', async ({ is, pods, failures }) => {
    double.pods = [[], ...pods]; // the runner looks once before
    expect((await attempt(`{ pod: default/web, is: ${is}, within: 1s }`, {})).failures).toEqual(failures);
  });
});

describe('a started command', () => {
  const steps = (expectation: string): string => `[
    { text: one, start: [{ run: nc web 80, in: default/client, as: stream }] },
    { text: two, expect: [{ started: stream, ${expectation} }] },
  ]`;

  test.each([
    { name: 'writes what is wanted, in two pieces', fields: 'output: ^tick', writes: ['', 'ti', 'ck'], failures: [] },
    {
      name: 'wrote it too early only',
      fields: 'output: tick, within: 1s',
      writes: ['tick'],
      failures: ['expected output like /tick/ within 1 s, there is none'],
    },
    { name: 'is silent', fields: 'silent: 1s', writes: ['tick'], failures: [] },
    {
      name: 'is not silent',
      fields: 'silent: 1s',
      writes: ['', '', '', 'tick'],
      failures: ['expected silence for 1 s, it wrote something'],
    },
  ])('$name', async ({ fields, writes, failures }) => {
    double.writes.push(...writes);
    const [, two] = await run(steps(fields));
    expect(two?.expectations.map((result) => result.failures)).toEqual([failures]);
    expect(double.calls).toEqual(['start default/client sh -c nc web 80', 'end default/client sh -c nc web 80']);
  });

  test('that no step has started ends the run', async () => {
    await expect(run(steps('silent: 1s').replace('as: stream', 'as: other'))).rejects.toThrow(
      'no step before has started a command as stream',
    );
    expect(double.calls.at(-1)).toMatch(/^end /);
  });
});
