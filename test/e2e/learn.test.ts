import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CliUser } from './cli-fixture.ts';

const POD = '{ apiVersion: v1, kind: Pod, metadata: { name: x }, spec: { containers: [{ name: x, image: x }] } }';

test('a task is solved by commands from stdin: what is wrong is said, hints cost, and the lab is gone in the end', async () => {
  await using user = await CliUser.create();
  const solution = await readFile('labs/label-typo/as-meant.yaml', 'utf8');
  const folder = await user.folder({ 'pod.yaml': POD, 'solved.yaml': solution });
  const mine = join(folder, 'mine.yaml');
  const commands = [
    'check',
    'hint',
    'exec default/client curl -sS -m 2 http://web',
    'chekc',
    `check ${join(folder, 'pod.yaml')}`,
    `check ${join(folder, 'none.yaml')}`,
    `check ${join(folder, 'solved.yaml')}`,
    'task',
  ];
  const { exit, stdout, stderr } = await user.run(['learn', 'label-typo', '-f', mine], commands.join('\n'));
  expect(stderr).toBe('');
  const [, ...answers] = stdout.split(/^> /m).map((part) => part.split('\n').slice(1, -1));
  expect(answers).toEqual([
    [
      '2 connections tried, 1 not as they should be:',
      '  default/client -> default/web 80/TCP passes, and should not',
      '    no policy isolates either end',
      'Score: 0 of 100',
    ],
    [expect.stringMatching(/^Hint 1 of 2: /), 'server.'],
    expect.arrayContaining(['pod: web', 'exit code 0']),
    ['no command "chekc"; did you mean check?; "help" lists them'],
    [expect.stringMatching(/^error: .*pod\.yaml:1 a Pod: only NetworkPolicies count here$/)],
    [expect.stringMatching(/^error: .*none\.yaml/)],
    ['All 2 connections are as they should be: solved.', 'Score: 90 of 100, with 1 hint'],
  ]);
  expect(await readFile(mine, 'utf8')).toContain('app: wbe'); // begun with what is to be mended
  expect(exit).toBe(0);
  expect(await user.labFolders()).toEqual([]);
});

test('a task that is not solved ends with 1, one that is interrupted as the signal says; a lab without one is refused', async () => {
  await using user = await CliUser.create();
  const mine = join(await user.folder({}), 'mine.yaml');
  expect((await user.run(['learn', 'label-typo', '-f', mine], 'check\nquit\n')).exit).toBe(1);
  const running = user.start(['learn', 'label-typo', '-f', mine]);
  await running.printed('"help" lists');
  process.kill(running.pid, 'SIGINT');
  expect((await running.ended).exit).toBe(130);
  expect(await user.labFolders()).toEqual([]);
  const refused = await user.run(['learn', 'reject']);
  expect(refused.stderr).toMatch(/^error: reject has no task; these have: .*label-typo/);
  expect(refused.exit).toBe(2);
});
