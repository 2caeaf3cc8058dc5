import { POD_NETWORKS } from '../manifest/address-pool.ts';
import type { Cluster } from '../model/cluster.ts';
import { invariant } from '../model/invariant.ts';
import { podKey } from '../model/pod.ts';
import {
  DIRECTIONS,
  type BlockPeer,
  type Direction,
  type NetworkPolicy,
  type Peer,
  type PolicyPort,
  type Rule,
} from '../model/policy.ts';
import type { Source } from '../model/source.ts';
import { bits, isStrictSubset, parsePrefix, prefixOf, type Prefix } from '../net/prefix.ts';
import { CNI_PROFILES, type CniName } from './profile.ts';

const NETWORKS: readonly Prefix[] = POD_NETWORKS.map((text) => {
  const network = parsePrefix(text);
  invariant(network, 'a network of pods is a prefix');
  return network;
});

/** What a policy comes to in a CNI. */
interface Reading {
  /** Undefined if the CNI passes over it. */
  readonly policy: NetworkPolicy | undefined;
  /** What of it has no effect, a line each. */
  readonly remarks: readonly string[];
}

/** Policies as a CNI enforces them: what it does not do is taken out of them, and all else stays as specified. */
export class Enforcer {
  readonly name: CniName;
  readonly #profile;
  #readings = new WeakMap<NetworkPolicy, Reading>();
  #inside: readonly Prefix[];

  /** @param podNetworks what counts as addresses of pods where no cluster is known. */
  constructor(name: CniName, podNetworks = NETWORKS) {
    this.name = name;
    this.#inside = podNetworks;
    this.#profile = CNI_PROFILES[name];
  }

  /**
   * The cluster with its policies as they are enforced. One that comes again is the same object again, unless it
   * depends on the addresses of pods and nodes and these are others. Cost: a look at each policy and pod; where blocks
   * match no pods, for each of those also at each pod.
   */
  enforced(cluster: Cluster): Cluster {
    if (this.name === 'reference') return cluster;
    if (!this.#profile.enforces) return { ...cluster, policies: [], caveat: this.#caveat };
    this.#know(cluster);
    const policies = cluster.policies.flatMap((policy) => this.policy(policy) ?? []);
    const isSame = policies.every((policy, index) => policy === cluster.policies[index]);
    if (isSame && policies.length === cluster.policies.length) return cluster;
    return { ...cluster, policies, caveat: this.#caveat };
  }

  /**
   * The policy as it is enforced; undefined if it is passed over. Pods and nodes are those of the cluster that was
   * enforced last; before the first, all addresses in the networks of pods.
   */
  policy(policy: NetworkPolicy): NetworkPolicy | undefined {
    return this.#read(policy).policy;
  }

  /** What of the policy has no effect, a line each. See policy() for which pods and nodes count. */
  remarks(policy: NetworkPolicy): readonly string[] {
    return this.#read(policy).remarks;
  }

  get #caveat(): string {
    return this.#profile.enforces
      ? `as ${this.name} enforces policies, which is not all that they say`
      : `${this.name} enforces no policies`;
  }

  /** Takes note of the addresses of pods and nodes. */
  #know({ pods }: Cluster): void {
    if (this.#profile.blocksMatchPods) return;
    const all = pods.flatMap(({ addresses, nodeAddresses }) => [...addresses, ...nodeAddresses]);
    const distinct = new Map(all.map((each) => [each.text, each]));
    const inside = Array.from(distinct.values(), (each) => prefixOf(each, bits(each.family)));
    if (inside.map(({ text }) => text).join() === this.#inside.map(({ text }) => text).join()) return;
    this.#inside = inside;
    this.#readings = new WeakMap();
  }

  #read(policy: NetworkPolicy): Reading {
    const known = this.#readings.get(policy);
    if (known) return known;
    const reading = this.#readAnew(policy);
    this.#readings.set(policy, reading);
    return reading;
  }

  #readAnew(policy: NetworkPolicy): Reading {
    const { enforces, knowsPortNames } = this.#profile;
    const said = `${podKey(policy)} (${placeOf(policy.source)})`;
    if (!enforces) return { policy: undefined, remarks: [`${this.name} enforces no policies: ${said} has no effect`] };
    const named = knowsPortNames ? undefined : portsOf(policy).find(({ port }) => port.kind === 'named');
    if (named?.port.kind === 'named') {
      const why = `it names port "${named.port.name}" (${placeOf(named.source)})`;
      return { policy: undefined, remarks: [`${this.name} passes over ${said}, which then isolates nothing: ${why}`] };
    }
    const remarks: string[] = [];
    const side = (direction: Direction): NetworkPolicy[Direction] => {
      const given = policy[direction];
      if (given.kind === 'ignored') return given;
      return { kind: 'isolates', rules: given.rules.flatMap((rule) => this.#rule(rule, remarks)) };
    };
    const after = { ...policy, egress: side('egress'), ingress: side('ingress') };
    return { policy: remarks.length === 0 ? policy : after, remarks };
  }

  /** The rule as it is enforced; nothing if it then matches no peer. */
  #rule(rule: Rule, remarks: string[]): Rule[] {
    const ports =
      rule.ports.kind === 'any'
        ? rule.ports
        : { kind: 'list' as const, ports: rule.ports.ports.map((port) => this.#port(port, remarks)) };
    if (rule.peers.kind === 'any') return [{ ...rule, ports }];
    const peers = rule.peers.peers.flatMap((peer) => this.#peer(peer, remarks));
    return peers.length === 0 ? [] : [{ ...rule, ports, peers: { kind: 'list', peers } }];
  }

  #port(port: PolicyPort, remarks: string[]): PolicyPort {
    const { port: range, source } = port;
    if (this.#profile.knowsPortRanges || range.kind !== 'range' || range.first === range.last) return port;
    remarks.push(
      `${this.name} does not know endPort: ${range.first}-${range.last} (${placeOf(source)}) is ${range.first} alone`,
    );
    return { ...port, port: { ...range, last: range.first } };
  }

  #peer(peer: Peer, remarks: string[]): Peer[] {
    if (peer.kind === 'pods' || this.#profile.blocksMatchPods) return [peer];
    const { cidr, except, source } = peer;
    const around = this.#inside.some((each) => each.text === cidr.text || isStrictSubset(cidr, each));
    const within = this.#inside.filter((each) => isStrictSubset(each, cidr) && !covers(except, each));
    if (!around && within.length === 0) return [peer];
    const what = around ? 'matches nothing, as all in it are' : 'does not match those in it that are';
    remarks.push(`to ${this.name}, ipBlock ${cidr.text} (${placeOf(source)}) ${what} pods or nodes`);
    return around ? [] : [{ ...peer, except: [...except, ...within] } satisfies BlockPeer];
  }
}

function portsOf(policy: NetworkPolicy): PolicyPort[] {
  return DIRECTIONS.map((direction) => policy[direction])
    .flatMap((side) => (side.kind === 'isolates' ? side.rules : []))
    .flatMap(({ ports }) => (ports.kind === 'list' ? ports.ports : []));
}

function covers(prefixes: readonly Prefix[], inner: Prefix): boolean {
  return prefixes.some((outer) => outer.text === inner.text || isStrictSubset(inner, outer));
}

function placeOf({ file, line }: Source): string {
  return line === 0 ? file : `${file}:${line}`;
}
