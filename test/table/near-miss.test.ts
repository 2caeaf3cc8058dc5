import { describe, expect, test } from 'vitest';
import { AddressPool } from '../../src/manifest/address-pool.ts';
import { buildCluster } from '../../src/manifest/build-cluster.ts';
import { parseManifests } from '../../src/manifest/manifest.ts';
import { evaluate } from '../../src/reference/evaluate.ts';
import { nearMisses } from '../../src/table/near-miss.ts';
import { connection } from '../builders/connection.ts';
import { given } from '../builders/given.ts';
import { policy, type IngressNotation, type PeerNotation } from '../builders/policy.ts';
import { client, missesOf, web } from './near-miss-fixture.ts';

const everywhere = { namespaces: {} };

/** Peers of shop/client, as default's policies see it. */
const PEERS: readonly [string, PeerNotation[], object[]][] = [
  [
    'a label’s value',
    [{ ...everywhere, pods: { app: 'frontend' } }],
    [
      {
        kind: 'label',
        pod: 'shop/client',
        key: 'app',
        actual: 'frontend2',
        requirements: [{ key: 'app', operator: 'In', values: ['frontend'] }],
        enough: 'frontend',
        text: 'shop/client has app=frontend2, rule wants app=frontend',
      },
    ],
  ],
  [
    'a label that is missing',
    [{ ...everywhere, pods: { tier: 'x' } }],
    [{ kind: 'label', actual: null, enough: 'x', text: 'shop/client has no label tier, rule wants tier=x' }],
  ],
  [
    'a label that any value would do for',
    [{ ...everywhere, pods: [['tier', 'Exists']] }],
    [{ kind: 'label', actual: null, enough: 'any', text: 'shop/client has no label tier, rule wants any tier' }],
  ],
  [
    'a label too many',
    [{ ...everywhere, pods: [['env', 'DoesNotExist']] }],
    [{ kind: 'label', actual: 'b', enough: null, text: 'shop/client has env=b, rule wants no label env' }],
  ],
  [
    'a value that is ruled out',
    [{ ...everywhere, pods: [['env', 'NotIn', 'b']] }],
    [{ kind: 'label', actual: 'b', enough: null, text: 'shop/client has env=b, rule wants env!=b' }],
  ],
  [
    'a value that must be there and is ruled out',
    [
      {
        ...everywhere,
        pods: [
          ['env', 'NotIn', 'b', 'any'],
          ['env', 'Exists'],
        ],
      },
    ],
    [{ kind: 'label', enough: 'any-1', text: 'shop/client has env=b, rule wants env notin (any,b),env' }],
  ],
  [
    'the one value that meets two requirements',
    [
      {
        ...everywhere,
        pods: [
          ['app', 'In', 'x', 'y'],
          ['app', 'NotIn', 'x'],
        ],
      },
    ],
    [{ kind: 'label', enough: 'y' }],
  ],
  [
    'labels that no pod can have',
    [
      {
        ...everywhere,
        pods: [
          ['app', 'In', 'x'],
          ['app', 'DoesNotExist'],
        ],
      },
    ],
    [{ kind: 'contradiction', text: 'no pod can meet app=x,!app' }],
  ],
  [
    'the namespace’s label',
    [{ namespaces: { team: 'b' } }],
    [
      {
        kind: 'namespace-label',
        namespace: 'shop',
        key: 'team',
        actual: 'a',
        enough: 'b',
        text: 'namespace shop has team=a, rule wants team=b',
      },
    ],
  ],
  [
    'the namespace by its name',
    [{ namespaces: { 'kubernetes.io/metadata.name': 'front' } }],
    [
      {
        kind: 'namespace',
        actual: 'shop',
        enough: 'front',
        text: 'shop/client is in namespace shop, rule wants kubernetes.io/metadata.name=front',
      },
    ],
  ],
  [
    'a namespace without a name',
    [{ namespaces: [['kubernetes.io/metadata.name', 'DoesNotExist']] }],
    [{ kind: 'contradiction', text: 'no namespace can meet !kubernetes.io/metadata.name' }],
  ],
  [
    'the policy’s own namespace',
    [{ pods: { app: 'frontend2' } }],
    [
      {
        kind: 'namespace',
        pod: 'shop/client',
        actual: 'shop',
        enough: 'default',
        text: 'shop/client is in namespace shop, rule wants pods of its own, default',
      },
    ],
  ],
  ['namespace and label', [{ pods: { app: 'frontend' } }], [{ kind: 'namespace' }, { kind: 'label' }]],
  ['the nearest of several', [{ block: '10.2.0.0/16' }, { namespaces: { team: 'b' } }], [{ kind: 'namespace-label' }]],
];

test.each(PEERS)('the difference in ingress peers: %s', (_, from, want) => {
  expect(missesOf([policy({ ingress: [{ from }] })], [client, web, '8080'])).toMatchObject([
    { direction: 'ingress', namespace: 'default', differences: want },
  ]);
});

test.each(PEERS)('the difference in egress peers: %s', (_, to, want) => {
  const found = missesOf([policy({ egress: [{ to }] })], [web, client, '9000']);
  expect(found).toMatchObject([{ direction: 'egress', namespace: 'default', differences: want }]);
});

describe.each([
  ['IPv4', '10.1.0.1', '10.0.0.0/8', '10.1.0.0/16', '10.2.0.0/16', '192.0.2.7', 'fd00::/8', 'IPv6'],
  ['IPv6', 'fd00::1', 'fd00::/8', 'fd00::/64', 'fd01::/64', '2001:db8::7', '10.0.0.0/8', 'IPv4'],
])('the difference in %s addresses', (_, from, block, hole, elsewhere, outside, foreign, family) => {
  const to = from.includes(':') ? 'fd00::2' : '10.1.0.2';
  const misses = (peer: PeerNotation, source: string) =>
    missesOf([policy({ ingress: [{ from: [peer] }] })], [source, to, '80']).flatMap(({ differences }) => differences);

  test('an except', () => {
    expect(misses({ block, except: [elsewhere, hole] }, from)).toEqual([
      { kind: 'except', address: from, block, excepts: [hole], text: `${from} is in ${block} but excepted by ${hole}` },
    ]);
  });

  test('a block', () => {
    expect(misses({ block: elsewhere }, from)).toEqual([
      { kind: 'block', address: from, block: elsewhere, text: `${from} is outside ${elsewhere}` },
    ]);
  });

  test('a block of the other family', () => {
    const text = `${from} is outside ${foreign}, which is ${family} only`;
    expect(misses({ block: foreign }, from)).toEqual([{ kind: 'block', address: from, block: foreign, text }]);
  });

  test('an address that is no pod’s', () => {
    const text = `rule wants pods, ${outside} is none to policies`;
    expect(misses({ pods: { app: 'x' } }, outside)).toEqual([{ kind: 'no-pod', address: outside, text }]);
  });
});

describe('near misses', () => {
  test('are none for what is allowed, or not isolated', () => {
    expect(missesOf([policy({ egress: [{}] })], [web, client, '80'])).toEqual([]);
    expect(missesOf([], [web, client, '80'])).toEqual([]);
  });

  test('say that a policy has no rules, for each direction that denies', () => {
    const policies = [policy({ name: 'deny', ingress: [] }), policy({ name: 'out', namespace: 'shop', egress: [] })];
    const noRules = (direction: string) => [
      { kind: 'no-rules', text: `it has no ${direction} rules and allows nothing` },
    ];
    expect(missesOf(policies, [client, web, '80'])).toEqual([
      {
        ...{ direction: 'egress', namespace: 'shop', name: 'out', rule: null, file: 'shop-out.yaml', line: 1 },
        differences: noRules('egress'),
      },
      {
        ...{ direction: 'ingress', namespace: 'default', name: 'deny', rule: null, file: 'default-deny.yaml', line: 1 },
        differences: noRules('ingress'),
      },
    ]);
  });

  test('come nearest first, each rule once, what nothing reaches last', () => {
    const never = {
      ...everywhere,
      pods: [
        ['x', 'Exists'],
        ['x', 'DoesNotExist'],
      ],
    } as const;
    const rules: IngressNotation[] = [
      { from: [never] },
      { from: [{ pods: { app: 'other' } }], ports: ['443/UDP'] },
      { from: [{ block: '10.9.0.0/16' }] },
      { from: [{ ...everywhere, pods: { tier: 'x' } }] },
      { from: [{ ...everywhere, pods: { app: 'frontend' } }], ports: ['80', '8080'] },
    ];
    const found = missesOf(
      [policy({ name: 'deny', ingress: [] }), policy({ name: 'p', ingress: rules })],
      [client, web, '8080'],
    );
    expect(found.map(({ name, rule, differences }) => [name, rule, differences.length])).toEqual([
      ['p', 4, 1],
      ['p', 3, 1],
      ['p', 2, 1],
      ['p', 1, 4],
      ['deny', null, 1],
      ['p', 0, 1],
    ]);
  });

  test.each([
    ['the peer', '10.0.0.9', '80', 10],
    ['the port', '10.0.0.10', '53', 15],
    ['the peer where both differ', '10.0.0.9', '53', 10],
  ])('point to the line of %s', (_, from, port, line) => {
    const { cluster: all } = buildCluster(
      parseManifests([{ path: 'p.yaml', text: MANIFEST }]).objects,
      new AddressPool(),
    );
    const question = connection(from, given(all.pods[0], 'the pod'), port);
    expect(nearMisses(all, question, evaluate(all, question))).toMatchObject([{ file: 'p.yaml', line }]);
  });
});

const MANIFEST = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: p
spec:
  podSelector: {}
  ingress:
    - from:
        - podSelector: {}
        - ipBlock:
            cidr: 10.0.0.0/16
            except: [10.0.0.9/32]
      ports:
        - port: 80
        - port: 53
          protocol: UDP
---
apiVersion: v1
kind: Pod
metadata: { name: web }
spec: { containers: [{ name: web, image: nginx }] }
`;
