import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Exec, KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { eventually, pod, policy, serving, useLab, type CliLab } from './cli-fixture.ts';
import { kubectl, kubectlOnTerminal, startKubectl } from './kubectl-fixture.ts';

const TWO = {
  containers: [serving('80/TCP'), { name: 'side', image: 'busybox', env: [{ name: 'WHO', value: 'side' }] }],
};
const OVER = { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox', command: ['true'] }] };
const MANIFESTS = [pod('client'), pod('two', TWO), pod('over', OVER)];

/** The processes of this machine whose command line is that, or begins with it. */
function processesOf(line: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((entry) => {
      try {
        return lineOf(Number(entry)).startsWith(line);
      } catch {
        return false; // it has ended meanwhile
      }
    })
    .map(Number);
}

function lineOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
}

function runs(line: string): boolean {
  return processesOf(line).length > 0;
}

/** A second client: runs a command in the pod client by @kubernetes/client-node. */
async function runByLibrary(lab: CliLab, command: string[], input: string): Promise<{ out: string; status: unknown }> {
  const config = new KubeConfig();
  config.loadFromFile((await lab.status()).api.kubeconfig);
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  stdin.end(input);
  const status = await new Promise((resolve, reject) => {
    const running = new Exec(config).exec('default', 'client', 'main', command, stdout, null, stdin, false, resolve);
    running.catch(reject);
  });
  stdout.end();
  return { out: await text(stdout), status };
}

describe.each([
  { user: 'this user', ordinary: false },
  { user: 'an ordinary user', ordinary: true },
])('kubectl exec in a lab of $user', ({ ordinary }) => {
  const lab = useLab({ manifests: MANIFESTS, ordinary });
  let unique = 0;
  /** A command that runs for long, unlike any other. */
  const longSleep = (): string => `sleep ${2000 + unique++}.${process.pid}`;

  it('runs commands with their outputs, arguments and exit codes', async () => {
    const words = ['exec', 'client', '--', 'sh', '-c', 'echo "out $1"; echo err >&2; exit 3', 'sh', "it's *"];
    const { exit, stdout, stderr } = await lab.run('kubectl', ['--', ...words]);
    expect({ exit, stdout }).toEqual({ exit: 3, stdout: "out it's *\n" });
    expect(stderr).toMatch(/^err\ncommand terminated with exit code 3\n/);
  });

  it.each([
    ['nosuch-command', 127, 'nosuch-command: not found on this machine'],
    ['/etc/passwd', 126, '/etc/passwd'],
  ])('%s ends with %i', async (command, code, message) => {
    expect(await kubectl(lab, ['exec', 'client', '--', command], { code })).toContain(message);
  });

  it('sees the pod: host name, resolver, environment of its container, policies', async () => {
    expect(await kubectl(lab, 'exec two -c side -- sh -c hostname')).toBe('two\n');
    expect(await kubectl(lab, ['exec', 'two', '-c', 'side', '--', 'sh', '-c', 'echo $WHO'])).toBe('side\n');
    expect(await kubectl(lab, 'exec client -- cat /etc/resolv.conf')).toContain('nameserver 10.96.0.10');
    const [address] = (await lab.pod('two')).addresses;
    const curl = `exec client -- curl -sS -m 2 http://${address}`;
    expect(await kubectl(lab, curl)).toContain('pod: two');
    await lab.apply(policy('deny', 'two', { policyTypes: ['Ingress'] }));
    expect(await kubectl(lab, curl, { code: 28 })).toContain('timed out');
    await lab.run('delete', ['netpol', 'deny']);
  });

  it('says which container or pod it cannot enter', async () => {
    expect(await kubectl(lab, 'exec client -c nosuch -- true', { code: 1 })).toContain(
      'container nosuch is not valid for pod client',
    );
    expect(await kubectl(lab, 'exec over -- true', { code: 1 })).toContain('current phase is Succeeded');
    expect(await kubectl(lab, 'exec nosuch -- true', { code: 1 })).toContain('pods "nosuch" not found');
  });

  it('passes megabytes each way, whole', async () => {
    const input = 'x'.repeat(5 << 20);
    const { exit, stdout } = await lab.run('kubectl', ['--', 'exec', '-i', 'client', '--', 'cat'], input);
    expect(exit).toBe(0);
    expect(stdout === input, `${stdout.length} bytes`).toBe(true);
  });

  it('returns when the command has ended, though something in the background holds its output', async () => {
    const command = longSleep();
    const pid = await kubectl(lab, ['exec', 'client', '--', 'sh', '-c', `${command} & echo $!`]);
    expect(runs(command)).toBe(true);
    await kubectl(lab, `exec client -- kill ${pid.trim()}`);
  });

  it('gives a terminal of the right size, to type on', async () => {
    const script = 'test -t 0 && test -t 1 && test -t 2; stty size; read line; echo "got $line"; exit 5';
    const running = kubectlOnTerminal(lab, ['exec', '-it', 'client', '--', 'sh', '-c', script]);
    await running.printed('40 100');
    running.stdin.write('hello\r');
    const { exit, stdout } = await running.ended;
    expect(stdout).toContain('got hello');
    expect(exit).toBe(5);
  });

  it('passes Ctrl-C on a terminal to the command', async () => {
    const script = "trap 'echo got INT; exit 4' INT; echo ready; read line";
    const running = kubectlOnTerminal(lab, ['exec', '-it', 'client', '--', 'sh', '-c', script]);
    await running.printed('ready');
    running.stdin.write('\u0003');
    await running.printed('got INT');
    expect((await running.ended).exit).toBe(4);
  });

  it.each([
    ['a command', (command: string) => startKubectl(lab, ['exec', 'client', '--', 'sh', '-c', command])],
    [
      'a command on a terminal',
      (command: string) => kubectlOnTerminal(lab, ['exec', '-it', 'client', '--', 'sh', '-c', command]),
    ],
  ])('%s ends with a client that is killed', async (_, start) => {
    const command = longSleep();
    const running = start(`echo ready; exec ${command}`);
    await running.printed('ready');
    await eventually(() => (runs(command) ? true : undefined), 'the command runs'); // its shell says ready before that
    const clients = processesOf('kubectl exec').filter((pid) => lineOf(pid).includes(command));
    expect(clients).not.toEqual([]);
    for (const pid of clients) process.kill(pid, 'SIGKILL');
    await running.ended;
    await eventually(() => (runs(command) ? undefined : true), 'the command has ended');
  });

  it('ends with the pod', async () => {
    await lab.apply(pod('short'));
    const running = startKubectl(lab, ['exec', 'short', '--', 'sh', '-c', 'echo ready; exec sleep 500']);
    await running.printed('ready');
    await kubectl(lab, 'delete pod short');
    expect((await running.ended).exit).toBe(143);
  });

  it('copies files and folders both ways', async () => {
    const there = await lab.user.folder({ 'a.txt': 'from here\n' });
    await kubectl(lab, `cp ${there}/a.txt client:${there}/b.txt`);
    expect(await readFile(join(there, 'b.txt'), 'utf8')).toBe('from here\n');
    await kubectl(lab, `cp client:${there}/b.txt ${there}/c.txt`);
    expect(await readFile(join(there, 'c.txt'), 'utf8')).toBe('from here\n');
  });

  it('serves @kubernetes/client-node too', async () => {
    const { out, status } = await runByLibrary(lab, ['sh', '-c', 'cat; exit 2'], 'from the library');
    expect(out).toBe('from the library');
    expect(status).toMatchObject({ details: { causes: [{ reason: 'ExitCode', message: '2' }] } });
  });
});
