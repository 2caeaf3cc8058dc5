import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { runningLabs } from '../../src/lab/connect.ts';
import { labPaths, readRecord, stateFolder } from '../../src/lab/state-folder.ts';
import { LabError } from '../../src/model/lab-error.ts';
import { given } from '../builders/given.ts';
import { monotonicNs, type Attempt, type DialOrder } from './attempt.ts';
import { podManifest, policyManifest, TestLab } from './lab-fixture.ts';

const SLEEPER = { containers: [{ name: 'main', image: 'sleeper', command: ['sh', '-c', 'sleep 1000 & sleep 1000'] }] };
const PODS = podManifest('default/client') + podManifest('default/server') + podManifest('default/sleeper', SLEEPER);
const ALLOW_80 = policyManifest(
  'default/allow-80',
  '{ podSelector: {}, ingress: [{ ports: [{ port: 80 }, { protocol: UDP, port: 80 }] }] }',
);

function startLab(name: string): Promise<TestLab> {
  return TestLab.start({ name, files: [{ path: 'pods.yaml', text: PODS + ALLOW_80 }] });
}

async function launcherOf(name: string): Promise<number> {
  const record = await readRecord(labPaths(await stateFolder(), name));
  return given(record, `lab ${name} has a record`).launcherPid;
}

describe('when a process of a lab is killed, nothing of the lab remains, and it can be started again', () => {
  test.each([
    { process: 'the daemon', pidOf: (lab: TestLab) => Promise.resolve(lab.status.pid) },
    { process: 'the launcher', pidOf: (lab: TestLab) => launcherOf(lab.status.name) },
  ])('$process', async ({ pidOf }) => {
    const lab = await startLab('killed');
    const command = await lab.exec('default/client', ['sh', '-c', 'echo begun; sleep 1000; echo ended']);
    expect(lab.remains().length).toBeGreaterThan(0);

    process.kill(await pidOf(lab), 'SIGKILL');
    await command.ended();
    expect(command.lines).toEqual([]);
    while (lab.remains().length > 0) await delay(5);
    const failure = await lab.client.status().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LabError);
    expect((failure as LabError).message).toContain('lab killed');
    expect(await runningLabs()).toEqual([]);

    await using again = await startLab('killed');
    const [result] = await again.client.probe([
      { from: 'default/client', to: 'default/server', protocol: 'TCP', port: 80, timeoutMs: 5000 },
    ]);
    expect(result?.outcome).toBe('refused'); // nobody listens; the network lets it through
  });
});

function dialOrder(lab: TestLab, ports: readonly number[]): DialOrder {
  const lanes = ports.flatMap((port) =>
    (['TCP', 'UDP'] as const).map((protocol) => ({
      name: `${protocol}${port}`,
      protocol,
      port,
      addresses: [lab.address('default/server')],
      everyMs: 10,
      patienceMs: 200,
    })),
  );
  return { lanes };
}

test('while the daemon hangs nothing new passes, denied or not; then it goes on', async () => {
  await using lab = await startLab('hung');
  const server = await lab.run('default/server', './echo-program.ts', { tcp: [80, 81], udp: [80, 81] });
  const client = await lab.run('default/client', './dial-program.ts', dialOrder(lab, [80, 81]));
  await delay(300);
  process.kill(lab.status.pid, 'SIGSTOP');
  while (!isStopped(lab.status.pid)) await delay(1);
  const stoppedNs = monotonicNs();
  await delay(700);
  const continuedNs = monotonicNs();
  process.kill(lab.status.pid, 'SIGCONT');
  await lab.client.status();
  await delay(300);
  const attempts = await client.finish<Attempt[]>();
  const received = new Set(await server.finish<string[]>());

  const passed = ({ id, answeredNs }: Attempt): boolean => answeredNs !== null || received.has(id);
  const allowed = attempts.filter(({ id }) => /^(?:TCP|UDP)80-/.test(id));
  const denied = attempts.filter(({ id }) => /^(?:TCP|UDP)81-/.test(id));
  const during = allowed.filter(({ startedNs }) => startedNs > stoppedNs && startedNs < continuedNs);
  expect(denied.length).toBeGreaterThan(50);
  expect(denied.filter(passed)).toEqual([]);
  expect(during.length).toBeGreaterThan(20);
  // Of the allowed ones TCP alone: a datagram from a port that was used before belongs to a flow that lives on.
  const connected = during.filter(({ id, answeredNs }) => id.startsWith('TCP') && answeredNs !== null);
  expect(connected.filter(({ answeredNs }) => (answeredNs ?? 0) < continuedNs)).toEqual([]);
  expect(allowed.filter((each) => each.sentNs < stoppedNs).some(passed)).toBe(true);
  expect(allowed.filter((each) => each.startedNs > continuedNs).some(passed)).toBe(true);
});

function isStopped(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}

test('a flood of denied packets lets none pass, and the lab goes on', async () => {
  await using lab = await startLab('flooded');
  const address = lab.address('default/server');
  const server = await lab.run('default/server', './echo-program.ts', { tcp: [80, 81], udp: [80, 81] });
  const client = await lab.run('default/client', './dial-program.ts', dialOrder(lab, [80]));
  const flood = await lab.run('default/client', './flood-program.ts', {
    address,
    port: 81,
    datagrams: 20_000,
    syns: 4000,
  });
  expect(await flood.finish<number>()).toBe(0);
  const overNs = monotonicNs();
  const probe = { from: 'default/client', to: 'default/server', protocol: 'TCP', port: 80, timeoutMs: 5000 } as const;
  const [later] = await lab.client.probe([probe]);
  const attempts = await client.finish<Attempt[]>();
  const received = await server.finish<string[]>();
  expect(later?.outcome).toBe('connected');
  expect(received).not.toContain('flood');
  expect(attempts.some(({ startedNs, answeredNs }) => startedNs < overNs && answeredNs !== null)).toBe(true);
});
