import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Random } from '../builders/random.ts';
import { monotonicNs, type Attempt, type DialOrder } from './attempt.ts';
import { podManifest, policyManifest, type PodProgram, type TestLab } from './lab-fixture.ts';

const SEED = 1;
const CYCLE_MS = 300; // a cycle takes a tenth of it on a quiet machine

/** Manifests of the pods that a lab of this test has. */
export const PODS = podManifest('clients/client') + podManifest('servers/server');

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

/** A lab whose pods can run programs. */
export type TightLab = Pick<TestLab, 'address' | 'apply' | 'deletePolicy'> &
  AsyncDisposable & { run(pod: string, file: string, options?: object): Promise<PodProgram> };

/** How hard it is tried. */
export interface Trial {
  readonly cycles: number;
  /** How long, at most, a policy stays, and stays away. */
  readonly exposureMs: number;
  /** How long a packet may be on its way to the gate that denies it: 0 if that is the first thing that it meets. */
  readonly underWayMs: number;
}

/** Applies and deletes policies under load: no attempt within a denied window may pass. @param start starts a lab of PODS. */
export function runTight(trial: Trial, start: () => Promise<TightLab>): void {
  const { cycles, underWayMs } = trial;
  const timeout = 60_000 + cycles * CYCLE_MS;
  test(
    `nothing that is denied passes while default deny is applied and deleted ${cycles} times`,
    { timeout },
    async () => {
      await using lab = await start();
      const server = await lab.run('servers/server', 'echo-program.ts', { tcp: [80], udp: [53] });
      const client = await lab.run('clients/client', 'dial-program.ts', dialOrder(lab));
      const changes = await changePolicies(lab, trial, new Random(SEED));
      const attempts = await client.finish<Attempt[]>();
      const received = new Set(await server.finish<string[]>());

      const passed = ({ id, answeredNs }: Attempt): boolean => answeredNs !== null || received.has(id);
      const denied = attempts.filter((attempt) => isInside(attempt, changes.denied, underWayMs));
      const open = attempts.filter((attempt) => isInside(attempt, changes.open, underWayMs));
      report({ cycles, changes, attempts: attempts.length, denied: denied.length, open: open.length });
      expect(denied.filter(passed)).toEqual([]);
      for (const lane of new Set(attempts.map(laneOf))) {
        const ofLane = (attempt: Attempt): boolean => laneOf(attempt) === lane;
        expect(denied.filter(ofLane).length, `denied attempts of ${lane}`).toBeGreaterThan(cycles / 20);
        expect(open.filter(ofLane).filter(passed).length, `passed attempts of ${lane}`).toBeGreaterThan(cycles / 20);
      }
    },
  );
}

function dialOrder(lab: TightLab): DialOrder {
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

async function changePolicies(lab: TightLab, { cycles, exposureMs }: Trial, random: Random): Promise<Changes> {
  const changes = {
    denied: [] as Window[],
    open: [] as Window[],
    enforcedMs: [] as number[],
    returnedMs: [] as number[],
  };
  let openFromNs = monotonicNs();
  for (let cycle = 0; cycle < cycles; cycle++) {
    const { namespace, types } = DENIALS[cycle % DENIALS.length] ?? { namespace: '', types: '' };
    const calledNs = monotonicNs();
    const enforcedMs = await lab.apply(
      policyManifest(`${namespace}/deny`, `{ podSelector: {}, policyTypes: [${types}] }`),
    );
    const fromNs = monotonicNs();
    changes.open.push({ fromNs: openFromNs, toNs: calledNs });
    changes.enforcedMs.push(enforcedMs);
    changes.returnedMs.push((fromNs - calledNs) / 1e6);
    await delay(random.between(0, exposureMs));
    changes.denied.push({ fromNs, toNs: monotonicNs() });
    await lab.deletePolicy(`${namespace}/deny`);
    openFromNs = monotonicNs();
    await delay(random.between(0, exposureMs));
  }
  return changes;
}

/** Whether the attempt began, and its first packet met the gate, within one of the windows. */
function isInside({ startedNs, sentNs }: Attempt, windows: readonly Window[], underWayMs: number): boolean {
  return windows.some(({ fromNs, toNs }) => fromNs <= startedNs && sentNs + underWayMs * 1e6 <= toNs);
}

function laneOf({ id }: Attempt): string {
  return id.slice(0, id.lastIndexOf('-'));
}

function report({
  changes,
  ...counts
}: {
  cycles: number;
  changes: Changes;
  attempts: number;
  denied: number;
  open: number;
}): void {
  const { cycles, attempts, denied, open } = counts;
  console.log(`${cycles} cycles, seed ${SEED}: ${attempts} attempts, ${denied} while denied, ${open} while open`);
  console.log(`apply to enforced: ${quantiles(changes.enforcedMs)}; to its return: ${quantiles(changes.returnedMs)}`);
}

function quantiles(values: readonly number[]): string {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(2);
  return `median ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}
