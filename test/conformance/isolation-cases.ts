import { apply, policy, policyCase, type PolicyCase } from './policy-case.ts';

const DENY_INGRESS = '{ podSelector: {}, policyTypes: [Ingress] }';
const DENY_EGRESS = '{ podSelector: {}, policyTypes: [Egress] }';
const DENY_BOTH = '{ podSelector: {}, policyTypes: [Ingress, Egress] }';

/** Who is isolated, and how policies add up. */
export const ISOLATION_CASES: readonly PolicyCase[] = [
  policyCase('1 default deny of ingress', policy('x/deny', DENY_INGRESS)),
  policyCase('1 default deny of egress', policy('x/deny', DENY_EGRESS)),
  policyCase('1 and 18 default deny of both, but to itself', policy('x/deny', DENY_BOTH)),
  policyCase(
    '1 default deny everywhere',
    ...['x', 'y', 'z'].map((namespace) => policy(`${namespace}/deny`, DENY_BOTH)),
  ),
  policyCase(
    '1 one pod is isolated, the others are not',
    policy('x/one', '{ podSelector: { matchLabels: { pod: a } } }'),
  ),
  {
    name: '1 a selector that matches no pod isolates none',
    steps: [
      apply(policy('x/none', '{ podSelector: { matchLabels: { pod: other } }, policyTypes: [Ingress, Egress] }')),
    ],
    deniesNothing: true,
  },
  {
    name: '2 allow-all wins beside default deny, in whatever order they come',
    steps: [
      apply(policy('x/deny', DENY_BOTH)),
      apply(policy('x/allow', '{ podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}] }')),
      { kind: 'delete', policy: 'x/deny' },
      apply(policy('x/deny', DENY_BOTH)),
      { kind: 'delete', policy: 'x/allow' },
    ],
  },
  policyCase(
    '2 allow-all wins beside a narrow rule',
    policy('y/narrow', '{ podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { pod: a } } }] }] }'),
    policy('y/all', '{ podSelector: { matchLabels: { pod: b } }, ingress: [{}] }'),
  ),
  policyCase(
    '2 stacked policies add up',
    policy(
      'x/from-y',
      '{ podSelector: { matchLabels: { pod: a } }, ingress: [{ from: [{ namespaceSelector: { matchLabels: { ns: "y" } } }], ports: [{ port: 80 }] }] }',
    ),
    policy(
      'x/from-c',
      '{ podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { pod: c } } }], ports: [{ port: 81 }] }] }',
    ),
    policy(
      'x/udp',
      '{ podSelector: { matchLabels: { pod: a } }, ingress: [{ ports: [{ protocol: UDP, port: 81 }] }, { from: [{ ipBlock: { cidr: 198.51.100.0/24 } }] }] }',
    ),
  ),
  policyCase(
    '3 egress and ingress must both allow',
    policy(
      'x/to-b',
      '{ podSelector: { matchLabels: { pod: a } }, policyTypes: [Egress], egress: [{ to: [{ namespaceSelector: {}, podSelector: { matchLabels: { pod: b } } }] }] }',
    ),
    policy(
      'y/from-c',
      '{ podSelector: { matchLabels: { pod: b } }, ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { pod: c } } }] }] }',
    ),
    policy('z/from-x', '{ podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { ns: x } } }] }] }'),
  ),
  policyCase(
    '4 without policyTypes an empty egress isolates ingress alone',
    policy('x/p', '{ podSelector: {}, egress: [] }'),
  ),
  policyCase('4 without policyTypes an egress rule isolates both', policy('x/p', '{ podSelector: {}, egress: [{}] }')),
  policyCase(
    '4 empty policyTypes are like none',
    policy(
      'x/p',
      '{ podSelector: {}, policyTypes: [], egress: [{ ports: [{ port: 80 }] }], ingress: [{ ports: [{ port: 81 }] }] }',
    ),
  ),
  policyCase(
    '5 ingress rules of an Egress policy are ignored',
    policy('x/p', '{ podSelector: {}, policyTypes: [Egress], ingress: [{ ports: [{ port: 80 }] }] }'),
  ),
  policyCase(
    '5 egress rules of an Ingress policy are ignored',
    policy('x/p', '{ podSelector: {}, policyTypes: [Ingress], egress: [{ ports: [{ port: 80 }] }] }'),
  ),
  policyCase(
    '6 null means the same as absent',
    policy('x/p', '{ podSelector: {}, ingress: null, egress: null, policyTypes: null }'),
  ),
  policyCase('6 an empty spec denies ingress to all pods', policy('x/p', '{}')),
  {
    name: '6 empty and null lists inside of a rule match everything',
    steps: [
      apply(
        policy(
          'x/p',
          '{ podSelector: {}, ingress: [{ from: [], ports: [] }], policyTypes: [Ingress, Egress], egress: [{ to: null, ports: null }] }',
        ),
      ),
      apply(
        policy(
          'x/p',
          '{ podSelector: {}, ingress: [{ from: null, ports: [{ port: 80 }] }], policyTypes: [Ingress, Egress], egress: [{ to: [], ports: [{ protocol: UDP }] }] }',
        ),
      ),
    ],
  },
  policyCase(
    '7 a policy selects pods of its own namespace only',
    policy('y/p', '{ podSelector: { matchLabels: { pod: a } }, policyTypes: [Ingress, Egress] }'),
  ),
];
