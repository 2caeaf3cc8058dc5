import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { printChanges } from '../../src/cli/change-report.ts';
import { predictedMatrix, probedMatrix } from '../../src/cli/lab-matrix.ts';
import { OutputClosed, Terminal } from '../../src/cli/terminal.ts';
import type { ChangeReport, LabClient } from '../../src/lab/lab-client.ts';
import { podStatus } from '../lab/lab-double.ts';
import type { Issue } from '../../src/manifest/issue.ts';
import { portNumber } from '../builders/address.ts';

/** Streams as a process has them. `tty` are those that are terminals. */
function streams({ tty = [], env = {} }: { tty?: readonly ('stdout' | 'stderr')[]; env?: NodeJS.ProcessEnv } = {}) {
  const stream = (name: 'stdout' | 'stderr') => Object.assign(new PassThrough(), { isTTY: tty.includes(name) });
  const [stdout, stderr] = [stream('stdout'), stream('stderr')];
  const terminal = new Terminal({ stdout, stderr, env } as unknown as NodeJS.Process);
  const written = async (): Promise<{ stdout: string; stderr: string }> => {
    stdout.end();
    stderr.end();
    return { stdout: await text(stdout), stderr: await text(stderr) };
  };
  return { stdout, terminal, written };
}

describe('Terminal', () => {
  test.each([
    ['on a terminal', ['stdout'], {}, true],
    ['not into a pipe', ['stderr'], {}, false],
    ['not with NO_COLOR', ['stdout'], { NO_COLOR: '1' }, false],
    ['with an empty NO_COLOR', ['stdout'], { NO_COLOR: '' }, true],
    ['not on a dumb terminal', ['stdout'], { TERM: 'dumb' }, false],
  ] as const)('has colour %s', (_, tty, env, want) => {
    expect(streams({ tty, env }).terminal.color).toBe(want);
  });

  test('shows progress only where somebody watches, and removes it before an answer', async () => {
    for (const [tty, stderr] of [
      [['stderr'], '\r\x1b[Kworking\r\x1b[K'],
      [['stdout'], ''],
    ] as const) {
      const { terminal, written } = streams({ tty });
      terminal.progress('working');
      await terminal.print('answer');
      expect(await written()).toEqual({ stdout: 'answer\n', stderr });
    }
  });

  test('waits for a slow reader, and tells when it has gone', async () => {
    const { stdout, terminal } = streams();
    const pending = terminal.write('x'.repeat(1 << 20));
    stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    await expect(pending).rejects.toThrow(OutputClosed);
    await expect(terminal.print('more')).rejects.toThrow(OutputClosed);
  });
});

describe('printChanges', () => {
  const report: ChangeReport = {
    results: [
      { kind: 'NetworkPolicy', namespace: 'default', name: 'deny-all', action: 'created' },
      { kind: 'Deployment', namespace: 'default', name: 'web', action: 'unchanged' },
      { kind: 'Namespace', namespace: '', name: 'shop', action: 'deleted' },
    ],
    issues: [],
    warnings: ['mind this'],
    enforcedMs: 1.25,
  };
  const issue: Issue = {
    ...{ file: 'a.yaml', line: 3, kind: 'Pod', namespace: 'default', name: 'x' },
    ...{ field: 'spec', type: 'FieldValueInvalid', message: 'Invalid value' },
  };

  test('says what kubectl would say, and warnings on stderr', async () => {
    const { terminal, written } = streams();
    await printChanges(report, { format: 'text', terminal });
    expect(await written()).toEqual({
      stdout:
        'networkpolicy.networking.k8s.io/deny-all created\ndeployment.apps/web unchanged\nnamespace "shop" deleted\n',
      stderr: 'warning: mind this\n',
    });
  });

  test('says on a terminal how long it took', async () => {
    const { terminal, written } = streams({ tty: ['stderr'] });
    await printChanges(report, { format: undefined, terminal });
    expect((await written()).stderr).toMatch(/enforced after 1\.[23] ms\n$/);
  });

  test('is an error with a line for each issue', async () => {
    const { terminal } = streams();
    const failed = { ...report, results: [], issues: [issue, issue] };
    await expect(printChanges(failed, { format: 'text', terminal })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(
        /^2 issues in the manifests, nothing was done(?:\n {2}a\.yaml:3 Pod default\/x.*){2}$/,
      ) as string,
    });
  });

  test('is an error where nothing was given, but not where all of it is passed over', async () => {
    const nothing = { ...report, results: [], warnings: [] };
    await expect(printChanges(nothing, { format: 'json', terminal: streams().terminal })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/^no objects in the manifests/) as string,
    });
    const { terminal, written } = streams();
    await printChanges({ ...nothing, warnings: ['a ConfigMap is passed over'] }, { format: 'text', terminal });
    expect(await written()).toEqual({ stdout: '', stderr: 'warning: a ConfigMap is passed over\n' });
  });
});

describe('a lab’s matrix', () => {
  const pods = [podStatus({ name: 'a' }), podStatus({ name: 'done', phase: 'Succeeded' }), podStatus({ name: 'b' })];
  const client = {
    status: () => Promise.resolve({ pods }),
    predict: (questions: readonly { from: string; to: string }[]) =>
      Promise.resolve(questions.map(({ from, to }) => (from === to ? 'allow' : 'deny'))),
    probe: (requests: readonly { from: string; timeoutMs: number }[]) =>
      Promise.resolve(requests.map(({ from, timeoutMs }) => ({ allowed: from === 'default/a' && timeoutMs === 9 }))),
  } as unknown as LabClient;
  const options = { protocol: 'TCP', port: portNumber(80), timeoutMs: 9 } as const;

  test('is predicted for running pods, row by row', async () => {
    expect(await predictedMatrix(client, options, () => undefined)).toEqual({
      pods: ['default/a', 'default/b'],
      allowed: [
        [true, false],
        [false, true],
      ],
    });
  });

  test('is probed beside its prediction', async () => {
    expect(await probedMatrix(client, options, () => undefined)).toEqual({
      pods: ['default/a', 'default/b'],
      allowed: [
        [true, true],
        [false, false],
      ],
      predicted: [
        [true, false],
        [false, true],
      ],
    });
  });
});
