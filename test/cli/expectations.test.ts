import { afterAll, describe, expect, test } from 'vitest';
import { commandLine } from './analysis-fixture.ts';

const cli = commandLine();
afterAll(() => {
  cli[Symbol.dispose]();
});

const ALLOW = '- { from: default/friend, to: default/svc/web, port: 80, verdict: allow }\n';
const DENY = '- { from: default/client, to: default/web, port: 8080, verdict: deny }\n';
const WRONG = '- { from: default/client, to: default/web, port: 8080, verdict: allow }\n';

describe.concurrent('test', () => {
  test('ends with 0 where all expectations hold', async () => {
    const { exitCode, stdout } = await cli.run('test -f web.yaml --expect -', { stdin: ALLOW + DENY });
    expect(stdout).toMatch(
      /^ok {6}default\/friend -> default\/service\/web 80\/TCP allow\nok {6}default\/client -> default\/web 8080\/TCP deny\n2 passed, 0 failed in \d/,
    );
    expect(exitCode).toBe(0);
  });

  test('ends with 1 where one does not, and says why', async () => {
    const { exitCode, stdout } = await cli.run('test -f web.yaml --expect -', { stdin: ALLOW + WRONG });
    expect(stdout).toContain(
      'FAILED  default/client -> default/web 8080/TCP allow  stdin:2\n' +
        '        default/client -> default/web is denied: ingress denied: isolated by default/only-friends (web.yaml:26), no rule matches\n',
    );
    expect(exitCode).toBe(1);
  });

  test('answers as JSON and JUnit', async () => {
    const json = await cli.run('test -f web.yaml --expect - -o json', { stdin: WRONG });
    expect(JSON.parse(json.stdout)).toMatchObject({
      expectations: [
        {
          ...{ from: 'default/client', to: 'default/web', protocol: 'TCP', port: 8080, verdict: 'allow' },
          ...{ file: 'stdin', line: 1, connections: 1, failures: [expect.stringContaining('is denied')] },
        },
      ],
      passed: 0,
      failed: 1,
    });
    const junit = await cli.run('test -f web.yaml --expect - -o junit', { stdin: WRONG });
    expect(junit.stdout).toMatch(/<testsuite name="netpol-lab test" tests="1" failures="1"/);
    expect([json.exitCode, junit.exitCode]).toEqual([1, 1]);
  });

  test('holds what generate-expectations writes', async () => {
    const { stdout } = await cli.run('generate-expectations -f web.yaml');
    expect(stdout).toContain('- { from: default/client, to: default/web, port: 8080/TCP, verdict: deny }\n');
    const { exitCode } = await cli.run('test -f web.yaml --expect -', { stdin: stdout });
    expect(exitCode).toBe(0);
  });

  test.each([
    ['what matches no pod', '- { from: default/nobody, to: default/web, port: 80, verdict: deny }', /stdin:1 no pod/],
    ['what is no expectation', '- { from: default/web }', /stdin:1 \[0\]\.to: is required/],
    [
      'SCTP for real',
      '- { from: default/client, to: default/web, port: 80/SCTP, verdict: allow }',
      /SCTP cannot be tried/,
    ],
  ])('refuses %s', async (_, stdin, message) => {
    const { exitCode, stderr } = await cli.run('test -f web.yaml --expect - --real', { stdin });
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });
});
