import type { PodReport } from '../lab/control-plane/backend.ts';
import type { Pod, PodPhase } from '../model/pod.ts';
import { parseIp } from '../net/ip.ts';
import type { ContainerRun } from './container-runs.ts';
import type { LiveProxy } from './proxy-fleet.ts';

const NEVER = 'NotInCompose';
const NEVER_MESSAGE =
  'the pods of a lab in containers are started by docker compose: this one is in no compose file; ' +
  'add it to the manifests and bring the lab up anew';
const ON_HOST_MESSAGE = "pods on the host's network have no container: it is not started";

/** What a pod's proxy says of it; if it does not live, what it has said. */
export function reportFrom(
  { readiness, enforced, startedAt, addresses }: LiveProxy,
  { pod, isLive }: { readonly pod: Pod; readonly isLive: boolean },
): PodReport {
  const total = watched(pod).length;
  const ready = isLive ? readiness.filter((container) => container.ready).length : 0;
  const runs = new Map(readiness.map(({ name, run }) => [name, run]));
  return {
    phase: endOf(pod, runs) ?? (enforced?.open === true ? 'Running' : 'Pending'),
    ready: ready === total,
    restarts: [...runs.values()].reduce((sum, { restarts }) => sum + restarts, 0),
    ...(isLive ? crashOf(runs) : { reason: 'ProxyNotRunning', message: 'its proxy does not run: nothing new passes' }),
    containers: { ready, total },
    exitCodes: new Map([...runs].flatMap(([name, run]) => (run.kind === 'done' ? [[name, run.exitCode]] : []))),
    startedAt: new Date(startedAt),
    addresses: addresses.flatMap((text) => parseIp(text) ?? []),
  };
}

/** What there is to say of a pod that no container is made for. */
export function unstarted(pod: Pod): PodReport {
  const containers = { ready: 0, total: watched(pod).length };
  const state = { phase: 'Pending', ready: false, restarts: 0, reason: NEVER } as const;
  const message = pod.hostNetwork ? ON_HOST_MESSAGE : NEVER_MESSAGE;
  return { ...state, message, containers, exitCodes: new Map(), startedAt: new Date() };
}

function watched({ containers }: Pod): Pod['containers'] {
  return containers.filter(({ role }) => role !== 'init');
}

/** The phase of a pod whose containers have all ended for good, sidecars aside. */
function endOf({ containers }: Pod, runs: ReadonlyMap<string, ContainerRun>): PodPhase | undefined {
  const main = containers.filter(({ role }) => role === 'main').map(({ name }) => runs.get(name));
  const done = main.flatMap((run) => (run?.kind === 'done' ? [run] : []));
  if (done.length < main.length) return undefined;
  return done.every(({ exitCode }) => exitCode === 0) ? 'Succeeded' : 'Failed';
}

function crashOf(runs: ReadonlyMap<string, ContainerRun>): Pick<PodReport, 'reason' | 'message'> {
  for (const [name, run] of runs) {
    if (run.kind !== 'restarting') continue;
    return { reason: 'CrashLoopBackOff', message: `container ${name} ended with exit code ${run.exitCode}` };
  }
  return { reason: '', message: '' };
}
