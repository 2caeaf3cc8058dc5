import { expect, test } from 'vitest';
import { RunText } from '../../src/cli/run-text.ts';
import type { RunResult } from '../../src/lab/trial.ts';
import { flow } from './lab-double.ts';

const text = new RunText(false);

function result(given: Partial<RunResult>): RunResult {
  return {
    kind: 'run',
    expectation: {
      kind: 'run',
      command: 'curl -m 3 http://web',
      pod: { namespace: 'default', pod: 'client' },
      exit: 0,
      output: null,
      withinMs: 20_000,
      denied: null,
    },
    pod: 'default/client',
    exit: 0,
    output: 'hello\n',
    ms: 12,
    flows: [],
    decisive: flow({ at: 0, from: 'default/client' }),
    failures: [],
    ...given,
  };
}

function told(given: Partial<RunResult>): string[] {
  return text.event({ kind: 'expectation', result: result(given) }).split('\n');
}

test('an expectation that is met: command, output, verdict', () => {
  expect(told({})).toEqual([
    '',
    'default/client $ curl -m 3 http://web',
    '    hello',
    '  exit code 0 after 12 ms',
    '  allowed default/client -> default/web 80/TCP',
    '    no policy isolates either end',
    '  ok',
    '',
  ]);
});

test('one that is not met: the policy that denied, and each difference', () => {
  const decisive = flow({ at: 0, from: 'default/client', verdict: 'deny' });
  const failures = ['expected exit code 0, got 28', 'expected output like /x/, there is none'];
  expect(told({ exit: 28, output: 'curl: (28) …', ms: 3004, decisive, failures })).toEqual([
    '',
    'default/client $ curl -m 3 http://web',
    '    curl: (28) …',
    '  exit code 28 after 3.0 s',
    '  denied default/client -> default/web 80/TCP',
    '    ingress denied: isolated by default/deny-all (deny.yaml:1), no rule matches',
    '  FAILED expected exit code 0, got 28',
    '  FAILED expected output like /x/, there is none',
    '',
  ]);
});

test('a command that sent nothing', () => {
  expect(told({ decisive: null })).toContain('  no packet left the pod');
});

test('output is kept but for blank lines in a row and what could steer a terminal', () => {
  const lines = told({ output: '\n\nServer:\t\t10.96.0.10\n\n \n\nName:\x1b[31m web\r\n\n' });
  expect(lines.slice(2, 5)).toEqual(['    Server:\t\t10.96.0.10', '', '    Name:[31m web']);
});

test('the steps of a lab are wrapped, the tally is one line', () => {
  const step = { text: 'word '.repeat(40), apply: [], delete: [], label: [], start: [], expect: [] };
  const lines = text.event({ kind: 'step', number: 3, step }).trim().split('\n');
  expect(lines[0]).toMatch(/^Step 3: word word/);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(text.tally({ met: 4, failed: 1 }, 2.34)).toBe('4 expectations met, 1 failed in 2.3 s');
});
