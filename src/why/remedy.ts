import { compare, type Comparison } from '../diff/compare.ts';
import type { Cluster } from '../model/cluster.ts';
import { podKey } from '../model/pod.ts';
import { DIRECTIONS, type Direction, type NetworkPolicy } from '../model/policy.ts';
import { allows, type Connection } from '../model/verdict.ts';
import { verdictIn } from '../table/cluster-verdict.ts';
import { nearMisses } from '../table/near-miss.ts';
import { additions } from './candidates.ts';
import { corrections } from './corrections.ts';
import { newPolicy, type ManifestChange } from './manifest-change.ts';
import { permissionFor } from './permission.ts';
import { policyIn, type PolicyManifest } from './policy-manifest.ts';
import { reachOf, type Reach } from './reach.ts';

/** The smallest change that allows a connection: one for each direction that denies it. */
export interface Remedy {
  readonly changes: readonly ManifestChange[];
  /** What changes by it, the connection itself among it. */
  readonly comparison: Comparison;
  readonly after: Cluster;
}

/** What is to be allowed, in which cluster, and the manifests of the policies that deny it. */
export interface Denied {
  readonly cluster: Cluster;
  readonly connection: Connection;
  readonly manifests: readonly PolicyManifest[];
  /** A cluster with its policies as they are enforced. */
  readonly enforced: Enforced;
}

/** A cluster with its policies as they are enforced, of one with these as they are written. */
export type Enforced = (cluster: Cluster) => Cluster;

/**
 * Finds the smallest change that allows a denied connection: a label put right, where that is enough, as the rule was
 * written for it. Else, of those that deny nothing, or the least, the one that allows the fewest other connections; of
 * these the narrowest by itself, and then the one with the fewest lines. Every candidate is tried: none is returned under
 * which the connection is still denied.
 * @returns undefined if none of them helps.
 * Cost: a comparison of two clusters for each candidate.
 */
export function remedyFor({ cluster, connection, manifests, enforced }: Denied): Remedy | undefined {
  const verdict = verdictIn(enforced(cluster), connection);
  const directions = DIRECTIONS.filter((direction) => !allows(verdict[direction]));
  // While one direction is looked at, the others that deny are open by the narrowest way there is.
  const narrowest = new Map(directions.map((direction) => [direction, narrowWay(cluster, connection, direction)]));
  const chosen: ManifestChange[] = [];
  let written = manifests;
  for (const direction of directions) {
    narrowest.delete(direction);
    const others = [...chosen, ...narrowest.values()].filter((change) => change !== undefined);
    const trial = { cluster, connection, enforced, base: withPolicies(cluster, others) };
    const { corrected, added } = candidates({ ...trial, manifests: written }, direction);
    const best = bestOf(corrected, trial, direction) ?? bestOf(added, trial, direction);
    if (!best) return undefined;
    chosen.push(best);
    written = written.map((manifest) => rewritten(manifest, best));
  }
  const after = withPolicies(cluster, chosen);
  return { changes: chosen, comparison: compare({ before: enforced(cluster), after: enforced(after) }), after };
}

/** A cluster in which only one direction is left to be opened. */
interface Trial extends Pick<Denied, 'cluster' | 'connection' | 'enforced'> {
  readonly base: Cluster;
}

/** Changes that may help: rules put right that were written for the connection, and what was not there. */
interface Candidates {
  readonly corrected: readonly ManifestChange[];
  readonly added: readonly ManifestChange[];
}

function candidates(
  { base, connection, manifests, enforced }: Trial & Pick<Denied, 'manifests'>,
  direction: Direction,
): Candidates {
  const permission = permissionFor(base, connection, direction);
  if (!permission) return { corrected: [], added: [] };
  const inForce = enforced(base);
  const verdict = verdictIn(inForce, connection);
  const misses = nearMisses(inForce, connection, verdict).filter((miss) => miss.direction === direction);
  const side = verdict[direction];
  const isolating = new Set(side.kind === 'no-rule' ? side.policies.map(podKey) : []);
  // What is in no file of the user's stays as it is.
  const changeable = manifests.filter(({ isOwn, policy }) => isOwn && isolating.has(podKey(policy)));
  return {
    corrected: corrections(base, permission, changeable),
    added: [...additions(permission, changeable, misses), newPolicy(permission, namesIn(base, permission.subject))],
  };
}

function narrowWay(cluster: Cluster, connection: Connection, direction: Direction): ManifestChange | undefined {
  const permission = permissionFor(cluster, connection, direction);
  return permission && newPolicy(permission, namesIn(cluster, permission.subject));
}

function namesIn({ policies }: Cluster, { namespace }: { readonly namespace: string }): ReadonlySet<string> {
  return new Set(policies.filter((policy) => policy.namespace === namespace).map(({ name }) => name));
}

function bestOf(changes: readonly ManifestChange[], trial: Trial, direction: Direction): ManifestChange | undefined {
  const { cluster, connection, base, enforced } = trial;
  const after = (change: ManifestChange): Cluster => enforced(withPolicies(base, [change]));
  const working = changes.filter((change) => verdictIn(after(change), connection).allowed);
  const before = enforced(cluster);
  const narrow = leastBy(working, (change) => reachOf(compare({ before, after: after(change) }).changes));
  // Of those that open as much, the one that still does where nothing else denies: a rule for the pod, not for all.
  const alone = leastBy(narrow, (change) => reachAlone(trial, change, direction));
  return alone.toSorted((one, other) => linesAdded(one) - linesAdded(other))[0];
}

/** Those with the least reach: what they deny counts before what they allow. */
function leastBy<Some>(all: readonly Some[], reach: (one: Some) => Reach): readonly Some[] {
  if (all.length < 2) return all; // to measure costs more than all else
  const measured = all.map((one) => ({ one, reach: reach(one) }));
  const denied = Math.min(...measured.map((each) => each.reach.denied));
  const least = measured.filter((each) => each.reach.denied === denied);
  const allowed = Math.min(...least.map((each) => each.reach.allowed));
  return least.filter((each) => each.reach.allowed === allowed).map(({ one }) => one);
}

/** What a change opens if the other direction lets everything pass. */
function reachAlone({ base, enforced }: Trial, change: ManifestChange, direction: Direction): Reach {
  const other = direction === 'egress' ? 'ingress' : 'egress';
  const opened = (cluster: Cluster): Cluster =>
    enforced({
      ...cluster,
      policies: cluster.policies.map((policy) => ({ ...policy, [other]: { kind: 'ignored' } })),
    });
  return reachOf(compare({ before: opened(base), after: opened(withPolicies(base, [change])) }).changes);
}

function linesAdded({ before, after }: ManifestChange): number {
  return after.split('\n').length - (before ?? '').split('\n').length;
}

/** The cluster with the changed policies in their places, and new ones behind. */
function withPolicies(cluster: Cluster, changes: readonly ManifestChange[]): Cluster {
  const changed = new Map<string, NetworkPolicy>(changes.map(({ policy }) => [podKey(policy), policy]));
  const known = new Set(cluster.policies.map(podKey));
  return {
    ...cluster,
    policies: [
      ...cluster.policies.map((policy) => changed.get(podKey(policy)) ?? policy),
      ...[...changed.values()].filter((policy) => !known.has(podKey(policy))),
    ],
  };
}

/** A manifest as it is after the change, if its file is changed. */
function rewritten(manifest: PolicyManifest, { path, after }: ManifestChange): PolicyManifest {
  if (!manifest.isOwn || manifest.file.path !== path) return manifest;
  const now = policyIn({ path, text: after }, manifest.policy);
  return now ? { ...now, isOwn: true } : manifest;
}
