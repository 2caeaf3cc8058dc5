import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Random } from '../builders/random.ts';
import { monotonicNs, type Attempt, type DialOrder } from './attempt.ts';
import { podManifest, policyManifest, TestLab } from './lab-fixture.ts';

const CYCLES = Number(process.env.NETPOL_LAB_CYCLES ?? 1000);
const SEED = 1;
const CYCLE_MS = 100; // a cycle takes a fifth of it
const EXPOSURE_MS = 6; // how long, at most, a policy stays, and stays away

const PODS = podManifest('clients/client') + podManifest('servers/server');

/** Default deny at the server, at the client, and in both directions of both: each must hold alone. */
const DENIALS = [
  { namespace: 'servers', types: 'Ingress' },
  { namespace: 'clients', types: 'Egress' },
  { namespace: 'servers', types: 'Ingress, Egress' },
];

/** From a change's return to the call of the next change. */
interface Window {
  readonly fromNs: number;
  readonly toNs: number;
}

interface Changes {
  readonly denied: readonly Window[];
  readonly open: readonly Window[];
  readonly enforcedMs: readonly number[];
  readonly returnedMs: readonly number[];
}

test(
  `nothing that is denied passes while default deny is applied and deleted ${CYCLES} times`,
  { timeout: 30_000 + CYCLES * CYCLE_MS },
  async () => {
    await using lab = await TestLab.start({ name: 'tight', files: [{ path: 'pods.yaml', text: PODS }] });
    const server = await lab.run('servers/server', './echo-program.ts', { tcp: [80], udp: [53] });
    const client = await lab.run('clients/client', './dial-program.ts', dialOrder(lab));
    const changes = await changePolicies(lab, new Random(SEED));
    const attempts = await client.finish<Attempt[]>();
    const received = new Set(await server.finish<string[]>());

    const passed = ({ id, answeredNs }: Attempt): boolean => answeredNs !== null || received.has(id);
    const denied = attempts.filter((attempt) => isInside(attempt, changes.denied));
    const open = attempts.filter((attempt) => isInside(attempt, changes.open));
    report({ changes, attempts: attempts.length, denied: denied.length, open: open.length });
    expect(denied.filter(passed)).toEqual([]);
    for (const lane of new Set(attempts.map(laneOf))) {
      const ofLane = (attempt: Attempt): boolean => laneOf(attempt) === lane;
      expect(denied.filter(ofLane).length, `denied attempts of ${lane}`).toBeGreaterThan(CYCLES / 20);
      expect(open.filter(ofLane).filter(passed).length, `passed attempts of ${lane}`).toBeGreaterThan(CYCLES / 20);
    }
  },
);

function dialOrder(lab: TestLab): DialOrder {
  const addresses = [lab.address('servers/server', 4), lab.address('servers/server', 6)];
  const [tcp, udp] = [
    { protocol: 'TCP', port: 80, addresses },
    { protocol: 'UDP', port: 53, addresses },
  ] as const;
  return {
    lanes: [
      // Patient enough for a slow answer, not enough for a SYN to be sent again. Each datagram from a port of its own
      // is an entry of conntrack for half a minute, and a change of policies looks at all of them.
      { ...tcp, name: 'tcp', everyMs: 8, patienceMs: 300 },
      { ...udp, name: 'udp', everyMs: 15, patienceMs: 300 },
      { ...tcp, name: 'tcp-one-port', sourcePort: 4001, everyMs: 4, patienceMs: 4 },
      { ...udp, name: 'udp-one-port', sourcePort: 4002, everyMs: 4, patienceMs: 2 },
    ],
  };
}

async function changePolicies(lab: TestLab, random: Random): Promise<Changes> {
  const changes = {
    denied: [] as Window[],
    open: [] as Window[],
    enforcedMs: [] as number[],
    returnedMs: [] as number[],
  };
  let openFromNs = monotonicNs();
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const { namespace, types } = DENIALS[cycle % DENIALS.length] ?? { namespace: '', types: '' };
    const calledNs = monotonicNs();
    const enforcedMs = await lab.apply(
      policyManifest(`${namespace}/deny`, `{ podSelector: {}, policyTypes: [${types}] }`),
    );
    const fromNs = monotonicNs();
    changes.open.push({ fromNs: openFromNs, toNs: calledNs });
    changes.enforcedMs.push(enforcedMs);
    changes.returnedMs.push((fromNs - calledNs) / 1e6);
    await delay(random.between(0, EXPOSURE_MS));
    changes.denied.push({ fromNs, toNs: monotonicNs() });
    await lab.deletePolicy(`${namespace}/deny`);
    openFromNs = monotonicNs();
    await delay(random.between(0, EXPOSURE_MS));
  }
  return changes;
}

/** Whether the attempt began, and had sent its first packet, within one of the windows. */
function isInside({ startedNs, sentNs }: Attempt, windows: readonly Window[]): boolean {
  return windows.some(({ fromNs, toNs }) => fromNs <= startedNs && sentNs <= toNs);
}

function laneOf({ id }: Attempt): string {
  return id.slice(0, id.lastIndexOf('-'));
}

function report({ changes, ...counts }: { changes: Changes; attempts: number; denied: number; open: number }): void {
  const { attempts, denied, open } = counts;
  console.log(`${CYCLES} cycles, seed ${SEED}: ${attempts} attempts, ${denied} while denied, ${open} while open`);
  console.log(`apply to enforced: ${quantiles(changes.enforcedMs)}; to its return: ${quantiles(changes.returnedMs)}`);
}

function quantiles(values: readonly number[]): string {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(2);
  return `median ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}
