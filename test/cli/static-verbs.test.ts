import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { runProgram, type Ended, type RunOptions } from './run-program.ts';

const state = mkdtempSync(join(tmpdir(), 'netpol-lab-cli-'));
afterAll(() => {
  rmSync(state, { recursive: true });
});

/** Runs in the folder of this test's manifests; the command line is parted at blanks. */
function run(commandLine: string, options: Partial<RunOptions> = {}): Promise<Ended> {
  const cwd = fileURLToPath(new URL('manifests', import.meta.url));
  return runProgram(commandLine.split(' '), { state, cwd, ...options });
}

function temporary(name: string, content: string | Buffer): string {
  const path = join(state, name);
  writeFileSync(path, content);
  return path;
}

const binary = temporary('binary.yaml', Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256)));
const longLine = temporary(
  'long.jsonl',
  `{"from":"default/web","to":"default/web","port":80}\n${'x'.repeat(3 << 20)}\n`,
);
const emptyFolder = mkdtempSync(join(state, 'empty-'));
const noPods = temporary('no-pods.yaml', 'apiVersion: v1\nkind: Namespace\nmetadata: { name: empty }\n');

describe.concurrent('bad usage and input end with 2 and say why', () => {
  test.each([
    ['no verb', '--lab x', /Say what to do/],
    ['an unknown verb', 'chekc', /no verb "chekc"; did you mean check\?/],
    ['an unknown option', 'check -f web.yaml --form x', /Unknown argument: form/],
    ['a missing option', 'validate', /Missing required argument: f/],
    ['an option without its value', 'matrix -f web.yaml --port', /Not enough arguments/],
    ['an option twice', 'matrix -f web.yaml --port 80 --port 81', /--port is given 2 times/],
    ['an unknown format', 'matrix -f web.yaml --port 80 -o xml', /Choices: "text", "json", "csv", "svg", "html"/],
    ['a bad port', 'check -f web.yaml --from default/web --to default/web --port 99999', /"99999" is no port/],
    [
      'a bad endpoint',
      'check -f web.yaml --from web --to default/web --port 80',
      /"web" is no endpoint.*default\/web\?/,
    ],
    [
      'an unknown pod',
      'check -f web.yaml --from default/wbe --to default/web --port 80',
      /no pod default\/wbe; did you mean default\/web\?/,
    ],
    ['half a question', 'check -f web.yaml --from default/web', /give --from, --to and --port, or --queries/],
    ['a question and queries', 'check -f web.yaml --from default/web --queries -', /mutually exclusive/],
    ['stdin twice', 'check -f - --queries -', /stdin cannot be both/],
    ['a missing file', 'check -f nowhere.yaml --queries -', /nowhere\.yaml does not exist/],
    [
      'a missing file of queries',
      'check -f web.yaml --queries nowhere.jsonl',
      /nowhere\.jsonl:1: cannot be read: ENOENT/,
    ],
    ['a folder without manifests', `matrix -f ${emptyFolder} --port 80`, /has no manifests/],
    [
      'an invalid policy',
      'matrix -f invalid.yaml --port 80',
      /invalid\.yaml:7 NetworkPolicy shop\/bad: spec\.ingress\[0\].*10\.0\.0\.0\/33/,
    ],
    ['a binary file', `validate -f ${binary}`, /binary\.yaml cannot be read: line 1 is no UTF-8/],
    ['a probe without a lab', 'matrix -f web.yaml --probe --port 80', /--probe needs a running lab/],
    ['two places to look', 'matrix -f web.yaml --lab x --port 80', /mutually exclusive/],
    ['a bad time', 'matrix --lab x --port 80 --timeout 0', /--timeout is in milliseconds/],
    ['no command to run', 'exec web', /write -- before the command/],
    ['a command without --', 'exec web curl http://a', /netpol-lab exec web -- curl http:\/\/a/],
    ['an unknown kind', 'get gadgets', /no kind "gadgets"/],
    ['a label that is none', 'label pod web app', /"app" is no label/],
    ['a kind without labels', 'label netpol x a=b', /only pods and namespaces/],
    ['a selector that is none', 'get pods -l app=a=b', /is no label selector/],
    ['a lab that does not run', 'get pods --lab gone', /lab gone does not run/],
    ['no lab at all', 'flows', /no lab runs/],
    ['nothing to start', 'up', /say which lab/],
    ['a lab that is none', 'up nowhere', /no lab and no folder nowhere/],
    ['an invalid lab', 'up -f invalid.yaml', /issue in the manifests, nothing was done/],
    ['two ways to end', 'down x --all', /not both/],
  ])('%s', async (_, commandLine, message) => {
    const ended = await run(commandLine);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toContain('    at ');
    expect(ended.exitCode).toBe(2);
  });
});

describe.concurrent('help and completion', () => {
  const verbs =
    'run up down labs exec explain flows why matrix get apply delete label check validate lint diff test generate-expectations replay graph'.split(
      ' ',
    );

  test('lists every verb', async () => {
    const { stdout, exitCode } = await run('--help');
    for (const verb of verbs) expect(stdout).toContain(`  netpol-lab ${verb} `);
    expect(exitCode).toBe(0);
  });

  test.each(verbs)('%s --help has examples', async (verb) => {
    const { stdout, stderr, exitCode } = await run(`${verb} --help`);
    expect(stdout).toMatch(new RegExp(`Examples:\\n  netpol-lab ${verb}`));
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  test('loads neither YAML nor libc', async () => {
    const hook = `import { registerHooks } from 'node:module'; registerHooks({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context); } });`;
    const nodeOptions = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`];
    const { stderr } = await run('check --help', { nodeOptions });
    expect(stderr).toContain('src/cli/check.ts');
    expect(stderr).not.toMatch(/node_modules\/(?:yaml|koffi|zod|dns-packet)\//);
  });

  test('tells its version', async () => {
    expect(await run('--version')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    });
  });

  test.each([
    ['kinds', 'get netw', 'networkpolicies\n'],
    ['shipped labs', 'up default-deny-', 'default-deny-all\n'],
    ['formats', 'flows -o', 'text\njson\n'],
    ['without running the verb', 'down gone', ''],
  ])('completes %s', async (_, line, stdout) => {
    expect(await run(`--get-yargs-completions netpol-lab ${line}`)).toEqual({ exitCode: 0, stdout, stderr: '' });
  });

  test('prints a script that bash takes', async () => {
    const { stdout } = await run('completion', { redirect: '| bash -n && echo fine' });
    expect(stdout).toBe('fine\n');
  });
});

describe.concurrent('validate', () => {
  test('accepts what the API server accepts', async () => {
    expect(await run('validate -f web.yaml')).toEqual({ exitCode: 0, stdout: '5 objects, no issues\n', stderr: '' });
  });

  test('names file, line and field', async () => {
    const { exitCode, stdout } = await run('validate -f .');
    expect(stdout).toMatch(
      /^invalid\.yaml:7 NetworkPolicy shop\/bad: spec\.ingress\[0\]\.from\[0\]\.ipBlock\.cidr: .*\n7 objects, 1 issue\n$/,
    );
    expect(exitCode).toBe(2);
  });

  test('has an entry an object as JSON', async () => {
    const { exitCode, stdout } = await run('validate -f invalid.yaml -o json');
    expect(JSON.parse(stdout)).toEqual([
      {
        file: 'invalid.yaml',
        line: 1,
        kind: 'NetworkPolicy',
        namespace: 'shop',
        name: 'bad',
        errors: [
          {
            field: 'spec.ingress[0].from[0].ipBlock.cidr',
            type: 'FieldValueInvalid',
            message: expect.stringMatching(/^Invalid value: "10\.0\.0\.0\/33": must be a valid CIDR value/) as string,
          },
        ],
      },
      { file: 'invalid.yaml', line: 9, kind: 'Namespace', namespace: '', name: 'shop', errors: [] },
    ]);
    expect(exitCode).toBe(2);
  });

  test('reads stdin, and warns of what it passes over', async () => {
    const ended = await run('validate -f -', { stdin: 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n' });
    expect(ended).toMatchObject({ exitCode: 0, stdout: '0 objects, no issues\n' });
    expect(ended.stderr).toMatch(/^warning: stdin:1: ConfigMap a is passed over/);
  });
});

describe.concurrent('check', () => {
  const ask = (from: string, to: string, more = '') => `check -f web.yaml --from ${from} --to ${to} --port 80${more}`;

  test('ends with 1 and names the policy where a connection is denied', async () => {
    const { exitCode, stdout } = await run(ask('default/client', 'default/svc/web'));
    expect(stdout).toContain('denied: isolated by default/only-friends (web.yaml:26), no rule matches');
    expect(exitCode).toBe(1);
  });

  test('names the rule where it is allowed', async () => {
    const { exitCode, stdout } = await run(ask('default/friend', 'default/svc/web'));
    expect(stdout).toContain('allowed: by default/only-friends ingress[0] (web.yaml:32)');
    expect(exitCode).toBe(0);
  });

  test('answers as JSON', async () => {
    const { exitCode, stdout } = await run(ask('default/client', 'default/web', '/tcp -o json'));
    const only = { namespace: 'default', name: 'only-friends', rule: null, file: 'web.yaml', line: 26 };
    expect(JSON.parse(stdout)).toEqual({
      from: 'default/client',
      to: 'default/web',
      protocol: 'TCP',
      port: 80,
      verdict: 'deny',
      egress: { verdict: 'allow', isolated: false, policies: [] },
      ingress: { verdict: 'deny', isolated: true, policies: [only] },
      nearMisses: [
        {
          ...{ direction: 'ingress', namespace: 'default', name: 'only-friends', rule: 0, file: 'web.yaml', line: 32 },
          differences: [
            {
              ...{ kind: 'label', pod: 'default/client', key: 'role', actual: null, enough: 'friend' },
              requirements: [{ key: 'role', operator: 'In', values: ['friend'] }],
              text: 'default/client has no label role, rule wants role=friend',
            },
            {
              ...{ kind: 'named-port', name: 'http', protocol: 'TCP', actual: 80, enough: 8080 },
              service: { namespace: 'default', name: 'web', port: 80, target: 8080 },
              text: 'rule allows port http, which is 8080 here, you connected to 80; 80 is the port of Service default/web, which leads to 8080 here',
            },
          ],
        },
      ],
    });
    expect(exitCode).toBe(1);
  });
});

describe.concurrent('check --queries', () => {
  const good = '{"from":"default/client","to":"default/web","protocol":"tcp","port":8080}';

  test('answers each in order, and ends with 0 though some are denied', async () => {
    const stdin = `${good}\n\n{"from":"default/friend","to":"default/web","port":"8080"}\n{"from":"192.0.2.1","to":"default/client","protocol":"UDP","port":53}`;
    const { exitCode, stdout } = await run('check -f web.yaml --queries -', { stdin });
    const answers = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(answers).toMatchObject([
      { from: 'default/client', to: 'default/web', protocol: 'TCP', port: 8080, verdict: 'deny' },
      { from: 'default/friend', protocol: 'TCP', port: 8080, verdict: 'allow', ingress: { policies: [{ rule: 0 }] } },
      { from: '192.0.2.1', protocol: 'UDP', port: 53, verdict: 'allow' },
    ]);
    expect(exitCode).toBe(0);
  });

  test.each([
    ['no JSON', '{', /it is no JSON/],
    ['no object', '[1]', /it is no object/],
    ['no source', '{"to":"default/web","port":80}', /"from" and "to" must be strings/],
    [
      'a protocol that is none',
      '{"from":"default/web","to":"default/web","protocol":1,"port":80}',
      /"protocol" must be/,
    ],
    ['no port', '{"from":"default/web","to":"default/web"}', /"port" must be a number/],
    ['a port out of range', '{"from":"default/web","to":"default/web","port":70000}', /"70000\/TCP" is no port/],
    ['an unknown pod', '{"from":"default/nobody","to":"default/web","port":80}', /no pod default\/nobody/],
  ])('stops at a line with %s, the answers before it given', async (_, line, message) => {
    const ended = await run('check -f web.yaml --queries -', { stdin: `${good}\n${line}\n${good}\n` });
    expect(ended.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(ended.stderr).toMatch(/^error: stdin:2: /);
    expect(ended.stderr).toMatch(message);
    expect(ended.exitCode).toBe(2);
  });

  test('stops at a line that is far too long', async () => {
    const ended = await run(`check -f web.yaml --queries ${longLine}`);
    expect(ended.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(ended.stderr).toMatch(/long\.jsonl:2: a line is longer than a million characters/);
    expect(ended.exitCode).toBe(2);
  });

  test('ends quietly when nobody reads on', async () => {
    const stdin = `${good}\n`.repeat(20_000);
    const ended = await run('check -f web.yaml --queries -', { stdin, redirect: '| head -n 1' });
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ended.stdout.trimEnd().split('\n')).toHaveLength(1);
  });
});

test('check answers 100,000 queries', async () => {
  const names = ['default/client', 'default/web', 'default/friend', 'default/svc/web', '192.0.2.1'];
  const lines = Array.from({ length: 100_000 }, (_, index) => {
    const from = names[index % names.length];
    const to = names[Math.floor(index / names.length) % names.length];
    return JSON.stringify({ from, to, protocol: 'TCP', port: 80 });
  });
  const started = performance.now();
  const { stdout, exitCode } = await run('check -f web.yaml --queries -', { stdin: lines.join('\n') });
  console.log(`100,000 queries: ${Math.round(performance.now() - started)} ms`);
  expect(exitCode).toBe(0);
  expect(stdout.trimEnd().split('\n')).toHaveLength(100_000);
});

describe.concurrent('matrix', () => {
  test('has rows from and columns to, as JSON', async () => {
    const { exitCode, stdout } = await run('matrix -f web.yaml --port 8080 -o json');
    expect(JSON.parse(stdout)).toEqual({
      pods: ['default/web', 'default/client', 'default/friend'],
      allowed: [
        [true, true, true],
        [false, true, true],
        [true, true, true],
      ],
    });
    expect(exitCode).toBe(0);
  });

  test('prints text and CSV', async () => {
    expect((await run('matrix -f web.yaml --port 80')).stdout).toContain('\n2 default/client . x x\n');
    expect((await run('matrix -f web.yaml --port 80 -o csv')).stdout).toContain('\ndefault/client,false,true,true\n');
  });

  test('is empty where there are no pods', async () => {
    const { exitCode, stdout } = await run(`matrix -f ${noPods} --port 80 -o json`);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '{"pods":[],"allowed":[]}\n' });
  });
});
