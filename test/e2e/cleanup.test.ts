import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTicks } from '../../src/lab/state-folder.ts';
import { CliUser, eventually, pod, policy, service, serving, yaml, type Running } from './cli-fixture.ts';

/** A process of this machine; `startTicks` tells it from a later one with the same number. */
interface Process {
  readonly pid: number;
  readonly startTicks: string;
}

function pids(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0);
}

function read<T>(attempt: () => T): T | undefined {
  try {
    return attempt();
  } catch {
    return undefined; // the process has ended meanwhile
  }
}

/** Processes with the same pid namespace: those of one lab. */
function processesLike(pid: number): Process[] {
  const namespace = readlinkSync(`/proc/${pid}/ns/pid`);
  return pids()
    .filter((each) => read(() => readlinkSync(`/proc/${each}/ns/pid`)) === namespace)
    .map((each) => ({ pid: each, startTicks: startTicks(each) ?? '' }));
}

function alive(processes: readonly Process[]): Process[] {
  return processes.filter((each) => startTicks(each.pid) === each.startTicks);
}

/** Processes with this user's home in their environment: its command lines, its labs. */
function processesOf({ home }: CliUser): { readonly pid: number; readonly command: string }[] {
  return pids().flatMap((pid) => {
    const environment = read(() => readFileSync(`/proc/${pid}/environ`, 'utf8')) ?? '';
    const command = read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';
    return environment.includes(home) ? [{ pid, command }] : [];
  });
}

function output(program: string, ...args: readonly string[]): string {
  return spawnSync(program, args, { encoding: 'utf8' }).stdout;
}

/** What of this machine is no lab's business. Other tests run meanwhile, but they do not touch it either. */
function machine(): Readonly<Record<string, string>> {
  const counters = / ?\[\d+:\d+\]|^#.*\n/gm;
  return {
    namespaces: output('ip', 'netns', 'list'),
    links: output('ip', '-o', 'link').replaceAll(/ qlen \d+/g, ''),
    routes: `${output('ip', 'route')}${output('ip', '-6', 'route')}`,
    firewall: `${output('iptables-save')}${output('ip6tables-save')}`.replaceAll(counters, ''),
    tables: output('nft', 'list', 'ruleset').replaceAll(/counter packets \d+ bytes \d+/g, ''),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8'),
    resolver: readFileSync('/etc/resolv.conf', 'utf8'),
    hosts: readFileSync('/etc/hosts', 'utf8'),
    hostname: readFileSync('/proc/sys/kernel/hostname', 'utf8'),
    forwarding: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8'),
    loose: read(() => readFileSync('/proc/sys/net/netfilter/nf_conntrack_tcp_loose', 'utf8')) ?? '',
  };
}

const SERVER = { containers: [serving('80/TCP')] };
const COMMAND = { name: 'main', image: 'busybox', command: ['sh', '-c', 'sleep 1000 & sleep 1000 & wait'] };
const BIG = Array.from({ length: 20 }, (_, index) => pod(`pod-${index}`, { containers: [COMMAND] }));

let user: CliUser;
let before: ReturnType<typeof machine>;

beforeEach(async () => {
  before = machine();
  user = await CliUser.create();
});

afterEach(async () => {
  try {
    await user[Symbol.asyncDispose]();
  } finally {
    // What a failed test found left must not stay.
    for (const { pid } of processesOf(user)) read(() => process.kill(pid, 'SIGKILL'));
  }
});

async function up(name: string, ...objects: readonly object[]): Promise<Process[]> {
  const folder = await user.folder({ 'cluster.yaml': yaml(objects) });
  const { exit, stderr } = await user.run(['up', '-f', folder, '--name', name]);
  expect(exit, stderr).toBe(0);
  const { launcherPid } = await user.record(name);
  const [first] = childrenOf(launcherPid);
  const processes = processesLike(first ?? 0);
  expect(processes.length).toBeGreaterThanOrEqual(2); // its init and its own process
  return [...processes, { pid: launcherPid, startTicks: startTicks(launcherPid) ?? '' }];
}

function childrenOf(pid: number): number[] {
  const text = read(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')) ?? '';
  return text.split(' ').flatMap((child) => (child === '' ? [] : [Number(child)]));
}

/** Nothing is left; `since` are the lab's processes while it lived. The kernel may still be at it for a moment. */
async function expectNothingLeft(since: readonly Process[]): Promise<void> {
  await eventually(() => (alive(since).length === 0 ? true : undefined), 'all processes of the lab ended');
  expect(processesOf(user)).toEqual([]);
  expect(await user.labFolders()).toEqual([]);
  expect(machine()).toEqual(before);
}

describe('nothing is left', () => {
  it('while a lab runs, the machine is as it was', async () => {
    await up('calm', pod('client'), pod('web', SERVER), service('web', { ports: [{ port: 80 }] }));
    expect(machine()).toEqual(before);
  });

  it('after down', async () => {
    const processes = await up('one', pod('web', SERVER), pod('busy', { containers: [COMMAND] }));
    const { stdout } = await user.run(['down']);
    expect(stdout).toBe('lab one is down\n');
    expect(alive(processes)).toEqual([]);
    await expectNothingLeft(processes);
  });

  it('after down --all, of any lab', async () => {
    const processes = [...(await up('one', pod('web', SERVER))), ...(await up('two', pod('web', SERVER)))];
    const { stdout } = await user.run(['down', '--all']);
    expect(stdout.trim().split('\n').sort()).toEqual(['lab one is down', 'lab two is down']);
    await expectNothingLeft(processes);
    expect((await user.run(['down', '--all'])).stdout).toBe('no lab runs\n');
  });

  it('after a kill of the lab’s first process, and up works again', async () => {
    const processes = await up('one', pod('web', SERVER), pod('busy', { containers: [COMMAND] }));
    process.kill((await user.record('one')).launcherPid, 'SIGKILL');
    await eventually(() => (alive(processes).length === 0 ? true : undefined), 'all processes of the lab ended');
    expect((await user.run(['labs'])).stdout).toContain('No lab runs.');
    const again = await up('one', pod('web', SERVER));
    await user.run(['down', 'one']);
    await expectNothingLeft(again);
  });

  it('after a kill of the lab’s own process, and down clears the rest', async () => {
    const processes = await up('one', pod('web', SERVER), pod('busy', { containers: [COMMAND] }));
    const own = processes.find(
      ({ pid }) =>
        read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.includes('daemon') && childrenOf(pid).length > 0,
    );
    process.kill(own?.pid ?? 0, 'SIGKILL');
    await eventually(() => (alive(processes).length === 0 ? true : undefined), 'all processes of the lab ended');
    expect((await user.run(['down', 'one'])).stdout).toContain('lab one had crashed');
    await expectNothingLeft(processes);
  });
});

describe('up that does not come to its end leaves nothing', () => {
  const interrupted = [
    { signal: 'SIGINT', exit: 130, when: 'the lab has a process', at: 'lab.json' },
    { signal: 'SIGINT', exit: 130, when: 'pods are being made', at: 'default_pod-0.hosts' },
    { signal: 'SIGTERM', exit: 143, when: 'pods start', at: 'logs/default/pod-0/main-0.log' },
  ] as const;

  it.each(interrupted)('$signal when $when', async ({ signal, exit, at }) => {
    const folder = await user.folder({ 'cluster.yaml': yaml(BIG) });
    const running = user.start(['up', '-f', folder, '--name', 'late']);
    const processes = await lateProcesses(at);
    process.kill(running.pid, signal);
    expect((await running.ended).exit).toBe(exit);
    await expectNothingLeft(processes);
  });

  it('a kill of up itself: the lab goes on or is gone, and down --all clears it', async () => {
    const folder = await user.folder({ 'cluster.yaml': yaml(BIG) });
    const running: Running = user.start(['up', '-f', folder, '--name', 'late']);
    const processes = await lateProcesses('lab.json');
    process.kill(running.pid, 'SIGKILL');
    await running.ended;
    const { exit, stderr } = await user.run(['down', '--all']);
    expect(exit, stderr).toBe(0);
    await expectNothingLeft(processes);
  });

  async function lateProcesses(at: string): Promise<Process[]> {
    await eventually(() => read(() => readFileSync(join(user.home, 'netpol-lab', 'late', at))), `${at} is there`);
    const { launcherPid } = await user.record('late');
    const [first] = childrenOf(launcherPid);
    const inside = first === undefined ? [] : processesLike(first);
    return [...inside, { pid: launcherPid, startTicks: startTicks(launcherPid) ?? '' }];
  }

  it.each([
    {
      what: 'an invalid policy',
      object: policy('bad', 'web', { ingress: [{ ports: [{ protocol: 'ICMP' }] }] }),
      message: 'spec.ingress[0].ports[0].protocol: Unsupported value: "ICMP"',
    },
    {
      what: 'an unknown field of a policy',
      object: policy('bad', 'web', { ingres: [] }),
      message: 'unknown field "spec.ingres"',
    },
  ])('$what: it does not start', async ({ object, message }) => {
    const folder = await user.folder({ 'cluster.yaml': yaml([pod('web', SERVER), object]) });
    const { exit, stdout, stderr } = await user.run(['up', '-f', folder, '--name', 'bad']);
    expect(stderr).toContain(message);
    expect(stderr).toContain('cluster.yaml:');
    expect(stdout).toBe('');
    expect(exit).toBe(2);
    await expectNothingLeft([]);
  });

  it('a second lab of the same name: the first goes on', async () => {
    await up('one', pod('web', SERVER));
    const folder = await user.folder({ 'cluster.yaml': yaml([pod('other')]) });
    const { exit, stderr } = await user.run(['up', '-f', folder, '--name', 'one']);
    expect(stderr).toContain('lab one runs already');
    expect(exit).toBe(2);
    expect((await user.run(['exec', 'web', '--', 'hostname'])).stdout).toBe('web\n');
  });
});

describe('of two that start at once with one name', () => {
  it.each([0, 1])('one is up, the other says so (%i)', async () => {
    const folder = await user.folder({ 'cluster.yaml': yaml([pod('web', SERVER)]) });
    const starting = [0, 1].map(() => user.start(['up', '-f', folder, '--name', 'one']));
    const ended = await Promise.all(starting.map(({ ended }) => ended));
    expect(ended.map(({ exit }) => exit).sort()).toEqual([0, 2]);
    expect(ended.find(({ exit }) => exit === 2)?.stderr).toContain('lab one runs already');
    expect((await user.run(['exec', 'web', '--', 'hostname'])).stdout).toBe('web\n');
    expect(await user.run(['down', 'one'])).toMatchObject({ exit: 0, stdout: 'lab one is down\n' });
    expect(processesOf(user)).toEqual([]);
  });
});

it.each([40, 200])('down %i ms after up: both say what became of the lab', async (ms) => {
  const folder = await user.folder({ 'cluster.yaml': yaml([pod('web', SERVER)]) });
  const starting = user.start(['up', '-f', folder, '--name', 'one']);
  await delay(100 + ms);
  const down = await user.run(['down', 'one']);
  const { exit, stderr } = await starting.ended;
  expect([0, 3], stderr).toContain(exit);
  expect(stderr).not.toContain('bug');
  expect([0, 2], down.stderr).toContain(down.exit);
  await user.run(['down', '--all']);
  expect(await user.labFolders()).toEqual([]);
});

it('a folder whose path no socket can have is refused', async () => {
  const folder = await user.folder({ 'cluster.yaml': yaml([pod('web', SERVER)]) });
  const runtime = join(user.home, 'x'.repeat(90));
  mkdirSync(runtime);
  const command = user.program.map((word) =>
    word.startsWith('XDG_RUNTIME_DIR=') ? `XDG_RUNTIME_DIR=${runtime}` : word,
  );
  const { exit, stderr } = await user.startProgram([...command, 'up', '-f', folder, '--name', 'one']).ended;
  expect({ exit, stderr }).toEqual({ exit: 3, stderr: expect.stringContaining('XDG_RUNTIME_DIR') as string });
  expect(stderr).not.toContain('    at ');
});

describe('two labs side by side', () => {
  it('with equal addresses do not see each other', async () => {
    await up('one', pod('client'), pod('web', SERVER));
    await up('two', pod('client'), pod('shop', SERVER), pod('third', SERVER));
    const addressOf = async (lab: string, name: string): Promise<string> => {
      const { stdout } = await user.run(['get', 'pod', name, '--lab', lab, '-o', 'json']);
      return (JSON.parse(stdout) as { status: { podIP: string } }).status.podIP;
    };
    const address = await addressOf('one', 'web');
    expect(await addressOf('two', 'shop')).toBe(address);
    const curl = (lab: string, host: string) =>
      user.run(['exec', '--lab', lab, 'client', '--', 'curl', '-sS', '-m', '2', `http://${host}`]);
    expect((await curl('one', address)).stdout).toContain('pod: web');
    expect((await curl('two', address)).stdout).toContain('pod: shop');

    // An address that only the other lab has, and a policy that only the other lab has.
    const foreign = await addressOf('two', 'third');
    expect((await curl('one', foreign)).exit).not.toBe(0);
    const deny = yaml([policy('deny', 'shop', { policyTypes: ['Ingress'] })]);
    expect((await user.run(['apply', '--lab', 'two', '-f', '-'], deny)).exit).toBe(0);
    expect((await curl('one', address)).exit).toBe(0);
    expect((await curl('two', address)).exit).toBe(28);

    await user.run(['down', 'two']);
    expect((await curl('one', address)).stdout).toContain('pod: web');
  });
});
