import { apply, policy, policyCase, type PolicyCase } from './policy-case.ts';

/** A policy that lets in to these ports alone, to every pod of the namespace z. */
function at(ports: string): string {
  return policy('z/at', `{ podSelector: {}, ingress: [{ ports: ${ports} }] }`);
}

/** A policy that lets out to these ports alone, from every pod of the namespace x. */
function out(ports: string, peers = 'null'): string {
  return policy('x/out', `{ podSelector: {}, policyTypes: [Egress], egress: [{ ports: ${ports}, to: ${peers} }] }`);
}

/** Which ports rules match. */
export const PORT_CASES: readonly PolicyCase[] = [
  policyCase('14 a port without protocol is TCP', at('[{ port: 80 }]'), out('[{ port: 81 }]')),
  policyCase(
    '14 UDP is not TCP: a rule for UDP isolates TCP',
    at('[{ protocol: UDP, port: 80 }]'),
    out('[{ protocol: UDP, port: 80 }]'),
  ),
  policyCase(
    '14 a rule for SCTP isolates TCP and UDP',
    at('[{ protocol: SCTP, port: 80 }]'),
    out('[{ protocol: SCTP }]'),
  ),
  policyCase('15 protocol without port: all its ports', at('[{ protocol: TCP }]'), out('[{ protocol: UDP }]')),
  policyCase('15 several ports', at('[{ port: 80 }, { protocol: UDP, port: 81 }]')),
  {
    name: '15 endPort is inclusive, in both directions',
    steps: [
      apply(at('[{ port: 79, endPort: 80 }]'), out('[{ protocol: UDP, port: 81, endPort: 65535 }]')),
      apply(at('[{ port: 80, endPort: 81 }]'), out('[{ protocol: UDP, port: 1, endPort: 79 }]')),
      apply(at('[{ protocol: UDP, port: 81, endPort: 81 }]'), out('[{ protocol: UDP, port: 1, endPort: 80 }]')),
    ],
  },
  policyCase(
    '15 a port of one peer is not one of another',
    policy(
      'x/p',
      '{ podSelector: {}, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80 }] }, { from: [{ namespaceSelector: { matchLabels: { ns: "y" } } }], ports: [{ port: 81 }] }] }',
    ),
  ),
  policyCase(
    '16 a named port of the selected pods: other numbers, of a sidecar, of none',
    at('[{ port: serve-80-tcp }]'),
  ),
  policyCase(
    '16 name and protocol must both match',
    at('[{ protocol: UDP, port: serve-81-udp }, { protocol: UDP, port: serve-80-tcp }]'),
  ),
  policyCase("16 a named port in egress is the peer's; an address outside has none", out('[{ port: serve-81-tcp }]')),
  policyCase(
    '16 a named port of selected peers',
    out(
      '[{ port: serve-80-tcp }]',
      '[{ namespaceSelector: {}, podSelector: { matchExpressions: [{ key: pod, operator: In, values: [b, c] }] } }]',
    ),
  ),
  policyCase(
    '16 a named port beside a block of pod addresses',
    out('[{ port: serve-80-tcp }]', '[{ ipBlock: { cidr: 10.244.0.0/16 } }, { ipBlock: { cidr: 198.51.100.0/24 } }]'),
  ),
];
