import type { NetworkPolicy, Peer, PolicyPort, PolicySide, Rule } from '../../src/model/policy.ts';
import { EVERYTHING } from '../../src/model/selector.ts';
import { portNumber, prefix, protocol } from './address.ts';
import { selector, type SelectorNotation } from './selector.ts';

/** A policy in short, as it is after defaulting: a direction that is left out is ignored. */
export interface PolicyNotation {
  /** `policy` unless given. */
  readonly name?: string;
  /** `default` unless given. */
  readonly namespace?: string;
  /** podSelector; every pod of the namespace unless given. */
  readonly pods?: SelectorNotation;
  /** `[]` denies all, `[{}]` allows all. */
  readonly ingress?: readonly IngressNotation[];
  readonly egress?: readonly EgressNotation[];
}

/** An ingress rule; any peer and any port unless given. */
export interface IngressNotation {
  readonly from?: readonly PeerNotation[];
  readonly ports?: readonly string[];
}

/** An egress rule; any peer and any port unless given. */
export interface EgressNotation {
  readonly to?: readonly PeerNotation[];
  readonly ports?: readonly string[];
}

/** podSelector, namespaceSelector or both; or an ipBlock. */
export type PeerNotation =
  | { readonly pods?: SelectorNotation; readonly namespaces?: SelectorNotation }
  | { readonly block: string; readonly except?: readonly string[] };

/**
 * A policy of the namespace `default` that selects every pod of it, but for what is given.
 * Ports are written `80`, `80/UDP`, `80-90`, `http`, `dns/UDP`, or `*` for all ports of a
 * protocol; TCP unless given.
 */
export function policy(notation: PolicyNotation): NetworkPolicy {
  const { name = 'policy', namespace = 'default', pods, ingress, egress } = notation;
  const source = { file: `${namespace}-${name}.yaml`, line: 1 };
  return {
    namespace,
    name,
    podSelector: pods ? selector(pods) : EVERYTHING,
    ingress: side(ingress?.map(({ from, ports }) => ({ peers: from, ports }))),
    egress: side(egress?.map(({ to, ports }) => ({ peers: to, ports }))),
    source,
  };
}

interface RuleNotation {
  readonly peers: readonly PeerNotation[] | undefined;
  readonly ports: readonly string[] | undefined;
}

const SOURCE = { file: 'policy.yaml', line: 1 };

function side(rules: readonly RuleNotation[] | undefined): PolicySide {
  return rules ? { kind: 'isolates', rules: rules.map(rule) } : { kind: 'ignored' };
}

function rule({ peers = [], ports = [] }: RuleNotation, index: number): Rule {
  return {
    index,
    peers: peers.length > 0 ? { kind: 'list', peers: peers.map(peer) } : { kind: 'any' },
    ports: ports.length > 0 ? { kind: 'list', ports: ports.map(policyPort) } : { kind: 'any' },
    source: SOURCE,
  };
}

function peer(notation: PeerNotation): Peer {
  if ('block' in notation) {
    const { block, except = [] } = notation;
    return { kind: 'block', cidr: prefix(block), except: except.map(prefix), source: SOURCE };
  }
  const { pods, namespaces } = notation;
  return {
    kind: 'pods',
    namespaces: namespaces ? { kind: 'selected', selector: selector(namespaces) } : { kind: 'own' },
    pods: pods ? selector(pods) : EVERYTHING,
    source: SOURCE,
  };
}

function policyPort(notation: string): PolicyPort {
  const [what = '', protocolName = 'TCP'] = notation.split('/');
  return { protocol: protocol(protocolName), port: portOf(what), source: SOURCE };
}

function portOf(what: string): PolicyPort['port'] {
  if (what === '*') return { kind: 'any' };
  const range = /^(\d+)(?:-(\d+))?$/.exec(what);
  if (!range) return { kind: 'named', name: what };
  const [, first = '', last = first] = range;
  return { kind: 'range', first: portNumber(first), last: portNumber(last) };
}
