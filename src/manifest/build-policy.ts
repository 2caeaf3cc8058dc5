import { parsePort, parseProtocol } from '../net/port.ts';
import { EVERYTHING } from '../model/selector.ts';
import type { NetworkPolicy, Peer, Peers, PolicyPort, PolicySide, Ports, Rule } from '../model/policy.ts';
import type { Source } from '../model/source.ts';
import { cidrWarnings, parseCidr } from './cidr.ts';
import { pathText, type FieldPath } from './field-path.ts';
import type { ManifestObject } from './manifest-object.ts';
import type { NetworkPolicyManifest, PeerManifest, PolicyPortManifest } from './policy-schema.ts';
import { selectorOf } from './selector.ts';

/** The model of a policy that validation has passed, with the API server's defaults. Source: SEMANTICS 4 to 8, 14 and 15. */
export function buildPolicy(object: ManifestObject, { spec = {} }: NetworkPolicyManifest): NetworkPolicy {
  const { podSelector = {}, ingress = [], egress = [], policyTypes = [] } = spec;
  const types = policyTypes.length > 0 ? policyTypes : ['Ingress', ...(egress.length > 0 ? ['Egress'] : [])];
  const sourceOf = (path: FieldPath): Source => ({ file: object.source.file, line: object.lineOf(path) });
  const sideOf = (type: string, rules: () => Rule[]): PolicySide =>
    types.includes(type) ? { kind: 'isolates', rules: rules() } : { kind: 'ignored' };
  return {
    namespace: object.namespace,
    name: object.name,
    podSelector: selectorOf(podSelector),
    ingress: sideOf('Ingress', () =>
      ingress.map(({ ports, from }, index) => {
        const path = ['spec', 'ingress', index];
        return buildRule({ index, ports, peers: from, peersPath: [...path, 'from'], path }, sourceOf);
      }),
    ),
    egress: sideOf('Egress', () =>
      egress.map(({ ports, to }, index) => {
        const path = ['spec', 'egress', index];
        return buildRule({ index, ports, peers: to, peersPath: [...path, 'to'], path }, sourceOf);
      }),
    ),
    source: object.source,
  };
}

/** What the API server warns of in a policy that it takes: CIDRs with host bits set or in odd forms. */
export function policyWarnings(object: ManifestObject, { spec = {} }: NetworkPolicyManifest): string[] {
  const { file } = object.source;
  const warn = (text: string, path: FieldPath): string[] => {
    const prefix = parseCidr(text);
    const place = `${file}:${object.lineOf(path)}: ${object.kind} ${object.namespace}/${object.name}: ${pathText(path)}`;
    return prefix ? cidrWarnings(text, prefix).map((warning) => `${place}: ${warning}`) : [];
  };
  const warnPeers = (peers: readonly PeerManifest[], path: FieldPath): string[] =>
    peers.flatMap(({ ipBlock: { cidr = '', except = [] } = {} }, index) => [
      ...warn(cidr, [...path, index, 'ipBlock', 'cidr']),
      ...except.flatMap((text, at) => warn(text, [...path, index, 'ipBlock', 'except', at])),
    ]);
  return [
    ...(spec.ingress ?? []).flatMap(({ from = [] }, index) => warnPeers(from, ['spec', 'ingress', index, 'from'])),
    ...(spec.egress ?? []).flatMap(({ to = [] }, index) => warnPeers(to, ['spec', 'egress', index, 'to'])),
  ];
}

type SourceOf = (path: FieldPath) => Source;

interface RuleParts {
  readonly index: number;
  readonly ports: readonly PolicyPortManifest[] | undefined;
  readonly peers: readonly PeerManifest[] | undefined;
  readonly peersPath: FieldPath;
  readonly path: FieldPath;
}

function buildRule({ index, ports = [], peers = [], peersPath, path }: RuleParts, sourceOf: SourceOf): Rule {
  return {
    index,
    peers: buildPeers(peers, peersPath, sourceOf),
    ports: buildPorts(ports, [...path, 'ports'], sourceOf),
    source: sourceOf(path),
  };
}

function buildPeers(peers: readonly PeerManifest[], path: FieldPath, sourceOf: SourceOf): Peers {
  if (peers.length === 0) return { kind: 'any' };
  return { kind: 'list', peers: peers.map((peer, index) => buildPeer(peer, sourceOf([...path, index]))) };
}

function buildPeer({ ipBlock, namespaceSelector, podSelector }: PeerManifest, source: Source): Peer {
  if (ipBlock) {
    const { cidr = '', except = [] } = ipBlock;
    return {
      kind: 'block',
      cidr: validated(parseCidr(cidr)),
      except: except.map((text) => validated(parseCidr(text))),
      source,
    };
  }
  return {
    kind: 'pods',
    namespaces: namespaceSelector ? { kind: 'selected', selector: selectorOf(namespaceSelector) } : { kind: 'own' },
    pods: podSelector ? selectorOf(podSelector) : EVERYTHING,
    source,
  };
}

function buildPorts(ports: readonly PolicyPortManifest[], path: FieldPath, sourceOf: SourceOf): Ports {
  if (ports.length === 0) return { kind: 'any' };
  return { kind: 'list', ports: ports.map((port, index) => buildPort(port, sourceOf([...path, index]))) };
}

function buildPort({ protocol = 'TCP', port, endPort }: PolicyPortManifest, source: Source): PolicyPort {
  return { protocol: validated(parseProtocol(protocol)), port: buildPortRange(port, endPort), source };
}

function buildPortRange(port: number | string | undefined, endPort: number | undefined): PolicyPort['port'] {
  if (port === undefined) return { kind: 'any' };
  if (typeof port === 'string') return { kind: 'named', name: port };
  return { kind: 'range', first: validated(parsePort(port)), last: validated(parsePort(endPort ?? port)) };
}

/** What validation has made sure of. Throws if it has not: a policy must never be built from less than is written. */
function validated<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a policy is built that validation has not passed');
  return value;
}
