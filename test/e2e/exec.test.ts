import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CliLab, pod, serving, useLab, type Outcome } from './cli-fixture.ts';

const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [serving('80/TCP')] } },
  },
};

const ALIASED = pod('aliased', {
  subdomain: 'group',
  hostAliases: [{ ip: '192.0.2.7', hostnames: ['db.example.com', 'db'] }],
});
const RESOLVING = pod('resolving', {
  dnsPolicy: 'None',
  dnsConfig: { nameservers: ['192.0.2.53'], searches: ['example.com'] },
});
const MANIFESTS = [
  pod('client'),
  pod('cart', {}, 'shop'),
  pod('client', { hostname: 'other' }, 'shop'),
  ALIASED,
  RESOLVING,
  DEPLOYMENT,
];

const lab = useLab({ manifests: MANIFESTS });

/** A command line as a shell takes it. */
function commandLine(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}

/** Runs a script in the pod client, on a terminal of its own. */
function onTerminal(script: string) {
  const words = [...lab.user.program, 'exec', '--lab', lab.name, 'client', '--', 'sh', '-c', script];
  // exec: a shell in between would take the terminal's signals as well.
  return lab.user.startProgram(['script', '-qec', `exec ${commandLine(words)}`, '/dev/null']);
}

describe('exec: exit codes', () => {
  it.concurrent.each([
    { command: ['true'], exit: 0 },
    { command: ['sh', '-c', 'exit 3'], exit: 3 },
    { command: ['sh', '-c', 'kill -KILL $$'], exit: 137 },
    { command: ['sh', '-c', 'kill -TERM $$'], exit: 143 },
    { command: ['nosuch-command'], exit: 127 },
    { command: ['/etc/passwd'], exit: 126 },
  ])('$command: $exit', async ({ command, exit }) => {
    const seen = await lab.exec('client', command);
    expect(seen.exit, seen.stderr).toBe(exit);
  });

  it('names a command that is not there', async () => {
    const { stderr } = await lab.exec('client', 'nosuch-command');
    expect(stderr).toMatch(/nosuch-command: not found/);
  });
});

describe('exec: input, output, arguments', () => {
  it('passes input to its end', async () => {
    expect(await lab.exec('client', 'cat', 'hello\nworld\n')).toMatchObject({ exit: 0, stdout: 'hello\nworld\n' });
  });

  it('passes a megabyte each way', async () => {
    const text = 'x'.repeat(1 << 20);
    const { stdout } = await lab.exec('client', 'cat', text);
    expect(stdout.length).toBe(text.length);
  });

  it('keeps stdout and stderr apart', async () => {
    expect(await lab.shell('client', 'echo out; echo err >&2')).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
  });

  it('passes arguments as they are', async () => {
    const args = ['two words', '', '$HOME', '--lab', '-x', '1e3', "it's", '*', '--'];
    const { stdout } = await lab.exec('client', ['printf', '[%s]', ...args]);
    expect(stdout).toBe(args.map((argument) => `[${argument}]`).join(''));
  });
});

describe('exec: signals', () => {
  it.concurrent.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const)('%s reaches the command', async (signal) => {
    const name = signal.slice('SIG'.length);
    const script = `trap 'echo got ${name}; exit 5' ${name}; echo ready; while :; do sleep 0.05; done`;
    const running = lab.user.start(['exec', '--lab', lab.name, 'client', '--', 'sh', '-c', script]);
    await running.printed('ready');
    process.kill(running.pid, signal);
    expect(await running.ended).toMatchObject({ exit: 5, stdout: `ready\ngot ${name}\n` });
  });

  it('a command without a trap ends, and its end is told as 128 + the number', async () => {
    const running = lab.user.start([
      'exec',
      '--lab',
      lab.name,
      'client',
      '--',
      'sh',
      '-c',
      'echo ready; exec sleep 50',
    ]);
    await running.printed('ready');
    process.kill(running.pid, 'SIGTERM');
    expect((await running.ended).exit).toBe(143);
  });
});

describe('exec: a terminal', () => {
  it('passes: input and output are the terminal', async () => {
    const running = onTerminal('test -t 0 && test -t 1 && test -t 2 && echo yes');
    expect(await running.ended).toMatchObject({ exit: 0, stdout: 'yes\r\n' });
  });

  it('there is none where there is none', async () => {
    expect((await lab.shell('client', 'test -t 0 || test -t 1')).exit).toBe(1);
  });

  it('what is typed reaches the command', async () => {
    const running = onTerminal('echo ready; read line; echo "got $line"');
    await running.printed('ready');
    running.stdin.write('hello\n');
    expect((await running.ended).stdout).toContain('got hello');
  });

  it('Ctrl-C reaches the command once', async () => {
    const running = onTerminal("trap 'echo got INT' INT; echo ready; read line; echo over; exit 4");
    await running.printed('ready');
    running.stdin.write('\u0003');
    await running.printed('got INT');
    running.stdin.write('\n');
    const { exit, stdout } = await running.ended;
    expect(stdout.match(/got INT/g)).toHaveLength(1);
    expect(exit).toBe(4);
  });
});

describe('exec: the pod as its commands see it', () => {
  it('its host name', async () => {
    expect((await lab.exec('client', 'hostname')).stdout).toBe('client\n');
    expect((await lab.exec('shop/client', 'hostname')).stdout).toBe('other\n');
  });

  it('its resolver', async () => {
    const { stdout } = await lab.exec('shop/cart', 'cat /etc/resolv.conf');
    expect(stdout).toBe(
      'nameserver 10.96.0.10\nsearch shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n',
    );
  });

  it('its hosts file', async () => {
    const { addresses } = await lab.pod('client');
    const { stdout } = await lab.exec('client', 'cat /etc/hosts');
    expect(stdout).toContain('127.0.0.1 localhost\n');
    for (const address of addresses) expect(stdout).toContain(`${address} client\n`);
  });

  it('a resolver of its own', async () => {
    const { stdout } = await lab.exec('resolving', 'cat /etc/resolv.conf');
    expect(stdout).toBe('nameserver 192.0.2.53\nsearch example.com\n');
  });

  it('its full name, with a subdomain', async () => {
    expect((await lab.exec('aliased', 'hostname -f')).stdout).toBe('aliased.group.default.svc.cluster.local\n');
  });

  it('its host aliases', async () => {
    expect((await lab.exec('aliased', 'cat /etc/hosts')).stdout).toContain('192.0.2.7 db.example.com db\n');
    expect((await lab.exec('aliased', 'getent hosts db')).stdout).toMatch(/^192\.0\.2\.7 /);
  });

  it('its addresses, and no other', async () => {
    const { addresses } = await lab.pod('client');
    const { stdout } = await lab.exec('client', 'ip -o addr show scope global');
    const seen = stdout
      .trim()
      .split('\n')
      .map((line) => /inet6? (\S+)/.exec(line)?.[1]);
    expect(seen).toEqual([`${String(addresses[0])}/32`, `${String(addresses[1])}/128`]);
  });
});

describe('exec: which pod', () => {
  const hostname = async (args: readonly string[]): Promise<Outcome> => lab.run('exec', [...args, '--', 'hostname']);

  it.concurrent.each([
    { args: ['client'], stdout: /^client$/m },
    { args: ['-n', 'shop', 'client'], stdout: /^other$/m },
    { args: ['shop/cart'], stdout: /^cart$/m },
    { args: ['deploy/web'], stdout: /^web-/m },
    { args: ['deployment/web'], stdout: /^web-/m },
    { args: ['default/deploy/web'], stdout: /^web-/m },
    { args: ['pod/client'], stdout: /^client$/m },
    { args: ['-it', 'client', '-c', 'main'], stdout: /^client$/m },
  ])('$args', async ({ args, stdout }) => {
    const seen = await hostname(args);
    expect(seen, seen.stderr).toMatchObject({ exit: 0, stdout: expect.stringMatching(stdout) as string });
  });

  it.concurrent.each([
    { what: 'a pod that is none', args: ['nosuch'], message: /no pod default\/nosuch/ },
    { what: 'a pod of another namespace only', args: ['cart'], message: /shop\/cart|-n shop/ },
    { what: 'a workload that is none', args: ['deploy/nosuch'], message: /default\/deploy(ment)?\/nosuch/ },
    { what: 'two namespaces', args: ['-n', 'default', 'shop/cart'], message: /two namespaces: shop in shop\/cart/ },
    { what: 'an address', args: ['10.244.0.2'], message: /10\.244\.0\.2/ },
  ])('says what is wrong: $what', async ({ args, message }) => {
    const seen = await hostname(args);
    expect(seen.stderr).toMatch(message);
    expect(seen.exit).toBe(2);
  });

  it('says that -- is missing', async () => {
    const { exit, stderr } = await lab.run('exec', ['client', 'hostname']);
    expect(stderr).toContain('netpol-lab exec client -- hostname');
    expect(exit).toBe(2);
  });
});

describe('exec: other labs', () => {
  it('ends a command with its lab, and says that a lab that is down does not run', async () => {
    const other = new CliLab({ manifests: [pod('client')] });
    try {
      await other.up();
      const running = other.user.start(['exec', 'client', '--', 'sh', '-c', 'echo ready; exec sleep 50']);
      await running.printed('ready');
      expect((await other.user.run(['down', other.name])).exit).toBe(0);
      expect((await running.ended).exit).toBe(137);
      const { exit, stderr } = await other.exec('client', 'true');
      expect(stderr).toContain(`lab ${other.name} does not run`);
      expect(exit).toBe(2);
    } finally {
      await other.down();
    }
  });

  it('needs no --lab while only one runs, else says which there are', async () => {
    const alone = await lab.user.run(['exec', 'client', '--', 'hostname']);
    expect(alone.stdout, alone.stderr).toBe('client\n');
    const folder = join(lab.user.home, 'second');
    await mkdir(folder);
    await writeFile(join(folder, 'pod.yaml'), JSON.stringify(pod('client')));
    await lab.user.run(['up', '-f', folder]);
    const { exit, stderr } = await lab.user.run(['exec', 'client', '--', 'hostname']);
    await lab.user.run(['down', 'second']);
    expect(stderr).toContain(`several labs run (${lab.name}, second)`);
    expect(exit).toBe(2);
  });
});
