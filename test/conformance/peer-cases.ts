import { apply, policy, policyCase, type PolicyCase } from './policy-case.ts';

/** A policy that lets in from these peers alone, to every pod of the namespace x. */
function from(peers: string): string {
  return policy('x/from', `{ podSelector: {}, ingress: [{ from: ${peers} }] }`);
}

/** A policy that lets out to these peers alone, from every pod of the namespace y. */
function to(peers: string): string {
  return policy('y/to', `{ podSelector: {}, policyTypes: [Egress], egress: [{ to: ${peers} }] }`);
}

/** Who is a peer: selectors, and blocks of addresses. */
export const PEER_CASES: readonly PolicyCase[] = [
  policyCase(
    '8 a null selector is none, an empty one is everything',
    from('[{ podSelector: null, namespaceSelector: {} }]'),
  ),
  policyCase(
    '8 null matchLabels inside a given selector are an empty selector',
    from('[{ podSelector: { matchLabels: null } }]'),
  ),
  policyCase('9 podSelector alone: the own namespace', from('[{ podSelector: { matchLabels: { pod: b } } }]')),
  policyCase('9 podSelector alone in egress', to('[{ podSelector: { matchLabels: { pod: b } } }]')),
  policyCase(
    '9 an empty podSelector: all of the own namespace',
    from('[{ podSelector: {} }]'),
    to('[{ podSelector: {} }]'),
  ),
  policyCase(
    '9 namespaceSelector alone: every pod of those',
    from('[{ namespaceSelector: { matchLabels: { ns: "y" } } }]'),
  ),
  policyCase(
    '9 an empty namespaceSelector: every pod, nobody outside',
    from('[{ namespaceSelector: {} }]'),
    to('[{ namespaceSelector: {} }]'),
  ),
  policyCase(
    '9 one item with both selectors: AND',
    from('[{ namespaceSelector: { matchLabels: { ns: "y" } }, podSelector: { matchLabels: { pod: a } } }]'),
  ),
  policyCase(
    '9 two items: OR',
    from('[{ namespaceSelector: { matchLabels: { ns: "y" } } }, { podSelector: { matchLabels: { pod: a } } }]'),
  ),
  policyCase(
    '9 AND in egress',
    to('[{ namespaceSelector: { matchLabels: { ns: x } }, podSelector: { matchLabels: { pod: a } } }]'),
  ),
  policyCase(
    '9 OR in egress',
    to('[{ namespaceSelector: { matchLabels: { ns: x } } }, { podSelector: { matchLabels: { pod: a } } }]'),
  ),
  policyCase('10 In', from('[{ podSelector: { matchExpressions: [{ key: pod, operator: In, values: [a, c] }] } }]')),
  policyCase(
    '10 NotIn',
    from(
      '[{ namespaceSelector: {}, podSelector: { matchExpressions: [{ key: pod, operator: NotIn, values: [a, c] }] } }]',
    ),
  ),
  {
    name: '10 NotIn and DoesNotExist match where the key is absent, In and Exists do not',
    steps: [
      { kind: 'label', object: 'y/a', labels: { tier: 'web' } },
      apply(
        from(
          '[{ namespaceSelector: {}, podSelector: { matchExpressions: [{ key: tier, operator: NotIn, values: [web] }] } }]',
        ),
      ),
      apply(
        from('[{ namespaceSelector: {}, podSelector: { matchExpressions: [{ key: tier, operator: DoesNotExist }] } }]'),
      ),
      apply(from('[{ namespaceSelector: {}, podSelector: { matchExpressions: [{ key: tier, operator: Exists }] } }]')),
      apply(
        from(
          '[{ namespaceSelector: {}, podSelector: { matchExpressions: [{ key: tier, operator: In, values: [web, db] }] } }]',
        ),
      ),
    ],
  },
  policyCase(
    '10 matchLabels and every expression must match',
    from(
      '[{ namespaceSelector: {}, podSelector: { matchLabels: { pod: b }, matchExpressions: [{ key: pod, operator: Exists }, { key: pod, operator: NotIn, values: [b] }] } }]',
    ),
  ),
  policyCase(
    '10 expressions on namespaces',
    from(
      '[{ namespaceSelector: { matchExpressions: [{ key: ns, operator: NotIn, values: [x, z] }, { key: ns, operator: Exists }] } }]',
    ),
  ),
  policyCase(
    '10 namespaces by name',
    to('[{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: z } } }]'),
  ),
  policyCase(
    '10 expressions select subjects',
    policy(
      'x/p',
      '{ podSelector: { matchExpressions: [{ key: pod, operator: In, values: [a, b] }, { key: pod, operator: NotIn, values: [b] }] } }',
    ),
  ),
  policyCase(
    '11 ipBlock of pods, IPv4',
    from('[{ ipBlock: { cidr: 10.244.2.0/24 } }]'),
    to('[{ ipBlock: { cidr: 10.244.3.0/30 } }]'),
  ),
  policyCase(
    '11 ipBlock of pods, IPv6',
    from('[{ ipBlock: { cidr: "fd00:10:244::2:0/112" } }]'),
    to('[{ ipBlock: { cidr: "fd00:10:244::3:2/127" } }]'),
  ),
  policyCase(
    '11 ipBlock with except',
    from('[{ ipBlock: { cidr: 10.244.0.0/16, except: [10.244.2.0/24, 10.244.3.3/32] } }]'),
  ),
  policyCase(
    '11 except subtracts inside its own item only',
    from('[{ ipBlock: { cidr: 10.244.0.0/16, except: [10.244.2.0/24] } }, { ipBlock: { cidr: 10.244.2.2/32 } }]'),
  ),
  policyCase(
    '11 another policy may allow what except takes out',
    to('[{ ipBlock: { cidr: 0.0.0.0/0, except: [10.244.0.0/16] } }]'),
    policy(
      'y/more',
      '{ podSelector: { matchLabels: { pod: a } }, policyTypes: [Egress], egress: [{ to: [{ podSelector: {} }] }] }',
    ),
  ),
  policyCase(
    '11 0.0.0.0/0 is IPv4 only',
    from('[{ ipBlock: { cidr: 0.0.0.0/0 } }]'),
    to('[{ ipBlock: { cidr: 0.0.0.0/0 } }]'),
  ),
  policyCase(
    '11 ::/0 is IPv6 only',
    from('[{ ipBlock: { cidr: "::/0" } }]'),
    to('[{ ipBlock: { cidr: "::/0", except: ["2001:db8::/32"] } }]'),
  ),
  policyCase('11 host bits of a block are masked', from('[{ ipBlock: { cidr: 10.244.2.3/24 } }]')),
  policyCase(
    '11 an address outside, in and out',
    from('[{ ipBlock: { cidr: 198.51.100.10/32 } }]'),
    to('[{ ipBlock: { cidr: 198.51.100.10/32 } }, { ipBlock: { cidr: "2001:db8:51::/64" } }]'),
  ),
  policyCase('11 all but an address outside', from('[{ ipBlock: { cidr: 0.0.0.0/0, except: [198.51.100.0/28] } }]')),
];
