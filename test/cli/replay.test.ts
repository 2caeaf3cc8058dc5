import { afterAll, describe, expect, test } from 'vitest';
import { commandLine } from './analysis-fixture.ts';

const cli = commandLine();
afterAll(() => {
  cli[Symbol.dispose]();
});

const HEADER = 'from,to,port,verdict\n';

describe.concurrent('replay', () => {
  test('ends with 1 and says what would change, and what it cannot tell', async () => {
    const stdin = `${HEADER}default/client,default/web,8080,allow\ndefault/friend,default/web,8080,allow\nx,y,z,allow\n`;
    const { exitCode, stdout } = await cli.run('replay --flows - -f web.yaml', { stdin });
    expect(stdout).toBe(
      '- default/client -> default/web 8080/TCP  1 flow, first in line 2\n' +
        '  ingress denied: isolated by default/only-friends (web.yaml:26), no rule matches\n' +
        '2 flows judged: 1 unchanged, 1 newly denied (-), 0 newly allowed (+)\n' +
        '1 line not judged:\n' +
        '  1: no protocol and port (first in line 4)\n',
    );
    expect(exitCode).toBe(1);
  });

  test('ends with 0 where nothing would change', async () => {
    const stdin = `${HEADER}default/friend,default/web,8080,allow\n`;
    expect(await cli.run('replay --flows - -f web.yaml', { stdin })).toMatchObject({ exitCode: 0 });
  });

  test('answers as JSON', async () => {
    const stdin = `${HEADER}default/client,default/web,8080,allow\n`;
    const { stdout } = await cli.run('replay --flows - -f web.yaml -o json', { stdin });
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ judged: 1, unchanged: 0, newlyDenied: 1, newlyAllowed: 0, unjudged: [] },
      changes: [{ from: 'default/client', verdict: 'deny', ingress: { policies: [{ name: 'only-friends' }] } }],
    });
  });

  test.each([
    ['stdin twice', 'replay --flows - -f -', /stdin cannot be both/],
    ['a file that is not there', 'replay --flows nowhere -f web.yaml', /cannot be read: ENOENT/],
  ])('refuses %s', async (_, line, message) => {
    const { exitCode, stderr } = await cli.run(line);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });
});
