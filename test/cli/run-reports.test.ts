import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { totalOf, type LabResult } from '../../src/cli/lab-result.ts';
import { briefText } from '../../src/cli/run-brief.ts';
import { printerOf } from '../../src/cli/run-printer.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import { junitSuite } from '../../src/cli/run-junit.ts';
import { loadLab } from '../../src/lab/lab-file.ts';
import type { ConnectResult } from '../../src/lab/trial.ts';
import { LabError } from '../../src/model/lab-error.ts';
import { parsePort } from '../../src/net/port.ts';
import { given } from '../builders/given.ts';
import { flow } from '../lab/lab-double.ts';

const lab = await loadLab('labs/default-deny');
const port = given(parsePort(80), 'port');

function tried(failures: readonly string[] = []): ConnectResult {
  const decisive = flow({ at: 0, from: 'default/client', verdict: failures.length > 0 ? 'deny' : 'allow' });
  const ends = { from: 'default/client', to: 'default/web' };
  const expectation = {
    kind: 'connect',
    ...ends,
    protocol: 'TCP',
    port,
    verdict: 'allow',
    withinMs: 1,
    denied: null,
  } as const;
  const outcome = failures.length > 0 ? 'timeout' : 'connected';
  return { kind: 'connect', expectation, outcome, ms: 1, flows: [decisive], decisive, failures };
}

function result(given: Partial<LabResult>): LabResult {
  return { lab, steps: [], error: undefined, seconds: 1.26, ...given };
}

const MET = { text: 'first', changes: [], expectations: [tried()] };
const MIXED = { text: 'second', changes: [], expectations: [tried(), tried(['expected allow, got timeout'])] };
const DIED = result({ error: new LabError('environment', 'it has\ndied') });

test('a lab in which all is as expected is a line', () => {
  expect(briefText(result({ steps: [MET] }), { width: 14, color: false })).toBe(
    'ok      default-deny    1 expectations met in 1.3 s',
  );
});

test('below one in which something fails is what failed, and why', () => {
  expect(briefText(result({ steps: [MET, MIXED] }), { width: 12, color: false }).split('\n')).toEqual([
    'FAILED  default-deny  1 of 3 expectations not met in 1.3 s',
    '',
    'Step 2: second',
    '',
    '',
    'connect default/client -> default/web 80/TCP',
    '    timeout after 1 ms',
    '  denied default/client -> default/web 80/TCP',
    '    ingress denied: isolated by default/deny-all (deny.yaml:1), no rule matches',
    '  FAILED expected allow, got timeout',
    '',
  ]);
});

test('one that could not be run is said to have failed, with the reason', () => {
  expect(briefText(DIED, { width: 12, color: false })).toBe('FAILED  default-deny  it has died');
  expect(totalOf([DIED, result({ steps: [MET, MIXED] })])).toEqual({ met: 2, failed: 1 });
});

test('for CI each expectation is a case at its line of lab.yaml; what ended a lab is one, too', async () => {
  const text = await readFile(lab.file, 'utf8'); // four expectations in its first step
  const lines = text.split('\n').flatMap((line, index) => (/^ {6}- (?:run|connect):/.test(line) ? index + 1 : []));
  const { name, cases } = junitSuite(result({ steps: [MET, MIXED] }));
  expect(name).toBe('default-deny');
  expect(cases).toEqual(
    [
      { name: 'step 1: connect default/client -> default/web 80/TCP', line: lines[0], failures: [] },
      { name: 'step 2: connect default/client -> default/web 80/TCP', line: lines[4], failures: [] },
      {
        name: 'step 2: connect default/client -> default/web 80/TCP',
        line: lines[5],
        failures: [
          'expected allow, got timeout',
          'ingress denied: isolated by default/deny-all (deny.yaml:1), no rule matches',
        ],
      },
    ].map((each) => ({ ...each, file: lab.file })),
  );
  expect(junitSuite(DIED).cases).toEqual([
    { name: 'runs to its end', file: lab.file, line: 1, failures: ['it has\ndied'] },
  ]);
});

test('labs are told as they end; those that have not begun when a signal comes are not waited for', async () => {
  const stdout = new PassThrough();
  const terminal = new Terminal({ stdout, stderr: new PassThrough(), env: {} } as unknown as NodeJS.Process);
  const printer = printerOf('brief', { labs: [lab, lab], terminal });
  const abort = new AbortController();
  const followed = printer.follow(abort.signal).catch((error: unknown) => error);
  printer.tell(lab, { kind: 'ended', result: result({ steps: [MET] }) });
  expect(String(await once(stdout, 'data'))).toMatch(/^ok {6}default-deny {2}1 expectations met/);
  abort.abort(new Error('enough'));
  await followed;
  printer.tell(lab, { kind: 'ended', result: undefined }); // by then nobody listens
});
