import { podKey, workloadName, type Pod } from '../model/pod.ts';
import { painter } from '../report/color.ts';
import { printableLine } from '../report/printable.ts';
import type { Comparison } from './compare.ts';
import type { ChangeGroup, Side } from './group.ts';
import { portsText } from './port-cuts.ts';

const LISTED = 6; // names of a side; JSON has all

const EVERYWHERE = ['0.0.0.0/0', '::/0'];

/**
 * The changes as a diff: what is newly denied after `-`, what is newly allowed after `+`.
 *
 *     - every pod of shop, outside 0.0.0.0/0 -> shop/deployment/web  80/TCP
 */
export function diffText(groups: readonly ChangeGroup[], { pods, added, removed }: Comparison, color: boolean): string {
  const paint = painter(color);
  const names = new Names(pods.map(({ after }) => after));
  const lines = groups.map((group) => {
    const denied = group.verdict === 'deny';
    const family = group.family === null ? '' : ` by IPv${group.family} only`;
    const line = `${denied ? '-' : '+'} ${names.of(group.from)} -> ${names.of(group.to)}  ${portsText(group.ports)}${family}`;
    return paint(denied ? 'red' : 'green', printableLine(line));
  });
  return [
    ...lines,
    ...aside('only after, not compared', added),
    ...aside('only before, not compared', removed),
    groups.length === 0 ? 'nothing changes' : tally(groups),
  ].join('\n');
}

function tally(groups: readonly ChangeGroup[]): string {
  const [denied, allowed] = (['deny', 'allow'] as const).map((wanted) => {
    const count = countPodPairs(groups.filter(({ verdict }) => verdict === wanted));
    return count === 1 ? '1 pair' : `${count} pairs`;
  });
  return `newly denied (-): ${denied ?? ''} of pods; newly allowed (+): ${allowed ?? ''}`;
}

/** How many pairs of different pods are in any of the groups. */
function countPodPairs(groups: readonly ChangeGroup[]): number {
  const reached = new Map<string, Set<string>>();
  for (const { from, to } of groups) {
    for (const pod of from.pods) {
      const set = reached.get(pod) ?? new Set();
      for (const other of to.pods) if (other !== pod) set.add(other);
      reached.set(pod, set);
    }
  }
  return [...reached.values()].reduce((sum, { size }) => sum + size, 0);
}

function aside(what: string, keys: readonly string[]): string[] {
  return keys.length === 0 ? [] : [printableLine(`${what}: ${listed([...keys].sort())}`)];
}

/** Short names for many pods: every pod, every pod of a namespace, a workload. */
class Names {
  readonly #all: readonly string[];
  readonly #namespaces: ReadonlyMap<string, readonly string[]>;
  readonly #workloads: ReadonlyMap<string, readonly string[]>;

  constructor(pods: readonly Pod[]) {
    const keysBy = (name: (pod: Pod) => string): Map<string, string[]> =>
      new Map([...Map.groupBy(pods, name)].map(([key, some]) => [key, some.map(podKey)]));
    this.#all = pods.map(podKey);
    this.#namespaces = keysBy(({ namespace }) => namespace);
    this.#workloads = keysBy(workloadName);
  }

  of({ pods, nodes, outside }: Side): string {
    const everywhere = EVERYWHERE.every((cidr) => outside.includes(cidr));
    const cidrs = everywhere ? ['anywhere outside'] : outside.map((cidr) => `outside ${cidr}`);
    return listed([...this.#podNames(pods), ...nodes.map((address) => `node ${address}`), ...cidrs]);
  }

  #podNames(pods: readonly string[]): string[] {
    const left = new Set(pods);
    if (left.size > 1 && left.size === this.#all.length) return [`every pod (${left.size})`];
    const names: string[] = [];
    const take = (groups: ReadonlyMap<string, readonly string[]>, nameOf: (key: string) => string): void => {
      for (const [key, members] of groups) {
        if (members.length < 2 || !members.every((pod) => left.has(pod))) continue;
        names.push(`${nameOf(key)} (${members.length})`);
        for (const pod of members) left.delete(pod);
      }
    };
    take(this.#namespaces, (namespace) => `every pod of ${namespace}`);
    take(this.#workloads, (workload) => workload);
    return [...names, ...left];
  }
}

function listed(names: readonly string[]): string {
  const more = names.length - LISTED;
  return [...names.slice(0, LISTED), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}
