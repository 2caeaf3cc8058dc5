import { afterAll, describe, expect, test } from 'vitest';
import { commandLine } from './analysis-fixture.ts';

const cli = commandLine();
afterAll(() => {
  cli[Symbol.dispose]();
});

const { denyAll } = cli;

describe.concurrent('diff', () => {
  test('ends with 1 and says what would be denied', async () => {
    const { exitCode, stdout } = await cli.run(`diff -f ${denyAll} --old web.yaml`);
    expect(stdout).toBe(
      '- every pod (3), anywhere outside -> default/client, default/friend  every port\n' +
        'newly denied (-): 4 pairs of pods; newly allowed (+): 0 pairs\n',
    );
    expect(exitCode).toBe(1);
  });

  test('ends with 0 where nothing changes', async () => {
    const { exitCode, stdout } = await cli.run('diff -f web.yaml --old web.yaml --prune');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'nothing changes\n' });
  });

  test('takes away what is not there any more only with --prune', async () => {
    const pods =
      'apiVersion: v1\nkind: Pod\nmetadata: { name: web, labels: { app: web } }\nspec: { containers: [{ name: c, image: i }] }\n';
    expect(await cli.run('diff -f - --old web.yaml', { stdin: pods })).toMatchObject({ exitCode: 1 });
    const { stdout } = await cli.run('diff -f - --old web.yaml --prune', { stdin: pods });
    expect(stdout).toContain('+ anywhere outside -> default/web  every port\n');
    expect(stdout).toContain('only before, not compared: default/client, default/friend\n');
  });

  test('answers as JSON', async () => {
    const { stdout } = await cli.run(`diff -f ${denyAll} --old web.yaml -o json`);
    expect(JSON.parse(stdout)).toEqual({
      changes: [
        {
          verdict: 'deny',
          ports: [
            ...['TCP', 'UDP', 'SCTP'].map((protocol) => ({ protocol, first: 1, last: 65535 })),
            { protocol: 'ICMP', first: 0, last: 0 },
          ],
          family: null,
          from: {
            pods: ['default/client', 'default/friend', 'default/web'],
            nodes: [],
            outside: ['0.0.0.0/0', '::/0'],
          },
          to: { pods: ['default/client', 'default/friend'], nodes: [], outside: [] },
        },
      ],
      added: [],
      removed: [],
    });
  });

  test.each([
    ['two things to compare with', 'diff -f web.yaml --old web.yaml --lab x', /mutually exclusive/],
    ['stdin twice', 'diff -f - --old -', /stdin cannot be both/],
    ['--prune with a lab', 'diff -f web.yaml --prune', /give --old/],
    ['no lab', 'diff -f web.yaml', /no lab runs/],
    ['what is invalid', 'diff -f invalid.yaml --old web.yaml', /an issue in the manifests/],
  ])('refuses %s', async (_, line, message) => {
    const { exitCode, stderr } = await cli.run(line);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });
});
