import { isStrictSubset } from '../net/prefix.ts';
import { PROTOCOLS } from '../net/port.ts';
import { checkSelector } from './check-metadata.ts';
import { parseCidr } from './cidr.ts';
import type { FieldPath } from './field-path.ts';
import { forbidden, goList, invalid, invalids, notSupported, required, type Finding } from './finding.ts';
import { portNameErrors, portNumberErrors } from './name-rules.ts';
import type { NetworkPolicyManifest, PeerManifest, PolicyPortManifest } from './policy-schema.ts';

const CIDR_RULE = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
const POLICY_TYPES = ['Ingress', 'Egress'];

/** What the API server finds in a policy's spec, in its order. Source: ValidateNetworkPolicySpec, kubernetes. */
export function checkPolicy({ spec = {} }: NetworkPolicyManifest): Finding[] {
  return [
    ...checkSelector(spec.podSelector ?? {}, ['spec', 'podSelector']),
    ...(spec.ingress ?? []).flatMap(({ ports, from }, index) =>
      checkRule({ ports, peers: from, peersField: 'from' }, ['spec', 'ingress', index]),
    ),
    ...(spec.egress ?? []).flatMap(({ ports, to }, index) =>
      checkRule({ ports, peers: to, peersField: 'to' }, ['spec', 'egress', index]),
    ),
    ...checkPolicyTypes(spec.policyTypes ?? []),
  ];
}

interface RuleManifest {
  readonly ports: readonly PolicyPortManifest[] | undefined;
  readonly peers: readonly PeerManifest[] | undefined;
  readonly peersField: 'from' | 'to';
}

function checkRule({ ports = [], peers = [], peersField }: RuleManifest, path: FieldPath): Finding[] {
  return [
    ...ports.flatMap((port, index) => checkPort(port, [...path, 'ports', index])),
    ...peers.flatMap((peer, index) => checkPeer(peer, [...path, peersField, index])),
  ];
}

function checkPort({ protocol, port, endPort }: PolicyPortManifest, path: FieldPath): Finding[] {
  const known = protocol === undefined || PROTOCOLS.some((one) => one === protocol);
  return [
    ...(known ? [] : [notSupported([...path, 'protocol'], protocol, PROTOCOLS)]),
    ...checkPortNumbers(port, endPort, path),
  ];
}

function checkPortNumbers(port: number | string | undefined, endPort: number | undefined, path: FieldPath): Finding[] {
  const portPath = [...path, 'port'];
  const endPath = [...path, 'endPort'];
  const endAlone = (rule: string): Finding[] => (endPort === undefined ? [] : [invalid(endPath, endPort, rule)]);
  if (port === undefined) return endAlone('may not be specified when `port` is not specified');
  if (typeof port === 'string') {
    return [
      ...endAlone('may not be specified when `port` is non-numeric'),
      ...invalids(portPath, port, portNameErrors(port)),
    ];
  }
  const numberFindings = invalids(portPath, port, portNumberErrors(port));
  if (endPort === undefined) return numberFindings;
  return [
    ...numberFindings,
    ...(endPort < port ? [invalid(endPath, endPort, 'must be greater than or equal to `port`')] : []),
    ...invalids(endPath, endPort, portNumberErrors(endPort)),
  ];
}

function checkPeer({ podSelector, namespaceSelector, ipBlock }: PeerManifest, path: FieldPath): Finding[] {
  const selectors = [podSelector, namespaceSelector].filter((selector) => selector !== undefined).length;
  const findings = [
    ...checkSelector(podSelector ?? {}, [...path, 'podSelector']),
    ...checkSelector(namespaceSelector ?? {}, [...path, 'namespaceSelector']),
    ...(ipBlock ? checkBlock(ipBlock, [...path, 'ipBlock']) : []),
  ];
  if (!ipBlock && selectors === 0) return [...findings, required(path, 'must specify a peer')];
  if (ipBlock && selectors > 0) return [...findings, forbidden(path, 'may not specify both ipBlock and another peer')];
  return findings;
}

function checkBlock({ cidr = '', except = [] }: NonNullable<PeerManifest['ipBlock']>, path: FieldPath): Finding[] {
  if (cidr === '') return [required([...path, 'cidr'])];
  const outer = parseCidr(cidr);
  if (!outer) return [invalid([...path, 'cidr'], cidr, CIDR_RULE)];
  return except.flatMap((text, index) => {
    const at = [...path, 'except', index];
    const inner = parseCidr(text);
    if (!inner) return [invalid(at, text, CIDR_RULE)];
    return isStrictSubset(inner, outer) ? [] : [invalid(at, text, 'must be a strict subset of `cidr`')];
  });
}

function checkPolicyTypes(types: readonly string[]): Finding[] {
  const path = ['spec', 'policyTypes'];
  if (types.length > POLICY_TYPES.length) {
    return [invalid(path, goList('networking.PolicyType', types), 'may not specify more than two policyTypes')];
  }
  return types.flatMap((type, index) =>
    POLICY_TYPES.includes(type) ? [] : [notSupported([...path, index], type, POLICY_TYPES)],
  );
}
