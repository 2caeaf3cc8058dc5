import { instance } from '@viz-js/viz';
import { describe, expect, test } from 'vitest';
import { endKey } from '../../src/graph/bundles.ts';
import { connectionGraph } from '../../src/graph/connection-graph.ts';
import { dotText } from '../../src/graph/dot.ts';
import { drawingOf } from '../../src/graph/drawing.ts';
import type { Grouping } from '../../src/graph/graph.ts';
import { mermaidText } from '../../src/graph/mermaid.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { workloadName, type Pod } from '../../src/model/pod.ts';
import type { NetworkPolicy } from '../../src/model/policy.ts';
import { cluster } from '../builders/cluster.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';

const BY_WORKLOAD = { nameOf: workloadName, namespaceOf: ({ namespace }: Pod) => namespace };
const BY_NAMESPACE = { nameOf: ({ namespace }: Pod) => namespace, namespaceOf: () => '' };
const NAMESPACES = ['a', 'b', 'c', 'd'];

/** In each of four namespaces two pods of an api and one client. */
const PODS = NAMESPACES.flatMap((namespace, index) => [
  ...[1, 2].map((number) => ({
    ...pod({
      name: `api-${number}`,
      namespace,
      labels: { app: 'api' },
      ip: `10.0.${index}.${number}`,
      ports: ['8080'],
    }),
    owner: { kind: 'Deployment', name: 'api' },
  })),
  pod({ name: 'client', namespace, labels: { app: 'client' }, ip: `10.0.${index}.9` }),
]);

function edgesOf(
  policies: readonly NetworkPolicy[],
  pods: readonly Pod[] = PODS,
  grouping: Grouping = BY_WORKLOAD,
): string[] {
  const { edges } = connectionGraph(cluster({ pods, policies }), grouping);
  return edges.map(({ from, to, ports, isPartial, isTwoWay }) => {
    const arrow = `${isTwoWay ? '<' : ''}${isPartial ? '..>' : '-->'}`;
    return `${endKey(from)} ${arrow} ${endKey(to)}${ports === '' ? '' : ` ${ports}`}`;
  });
}

describe('edges', () => {
  const toApi = (rest: object) => policy({ namespace: 'a', pods: { app: 'api' }, ...rest });

  test.each<[string, readonly NetworkPolicy[], readonly string[]]>([
    ['none without a policy: everything is open', [], []],
    ['none into pods that nobody reaches', [toApi({ ingress: [] })], []],
    [
      'one for a peer',
      [toApi({ ingress: [{ from: [{ pods: { app: 'client' } }] }] })],
      ['node a/client --> node a/deployment/api 8080/TCP'],
    ],
    [
      'one for everybody, and one from outside',
      [toApi({ ingress: [{ ports: ['8080'] }] })],
      ['everyone  --> node a/deployment/api 8080/TCP', 'outside 0.0.0.0/0 --> node a/deployment/api 8080/TCP'],
    ],
    [
      'none where the other end denies it',
      [
        toApi({ ingress: [{ from: [{ pods: { app: 'client' } }] }] }),
        policy({ name: 'out', namespace: 'a', pods: { app: 'client' }, egress: [] }),
      ],
      [],
    ],
    [
      'some for what an isolated sender may reach, also where it is open',
      [
        policy({
          namespace: 'a',
          pods: { app: 'client' },
          egress: [{ to: [{ namespaces: { 'kubernetes.io/metadata.name': 'b' } }] }],
        }),
      ],
      ['node a/client --> node b/deployment/api 8080/TCP'],
    ],
    [
      'one to a block outside',
      [
        policy({
          namespace: 'a',
          pods: { app: 'client' },
          egress: [{ to: [{ block: '192.0.2.0/24' }], ports: ['443'] }],
        }),
      ],
      ['node a/client --> outside 192.0.2.0/24 443/TCP'],
    ],
    [
      'a hub where many reach many',
      NAMESPACES.map((namespace) =>
        policy({ namespace, pods: { app: 'api' }, ingress: [{ from: [{ namespaces: {}, pods: { app: 'api' } }] }] }),
      ),
      ['b', 'c', 'd', 'a'].map((namespace) => `node ${namespace}/deployment/api <--> hub 1`),
    ],
  ])('%s', (_, policies, want) => {
    expect(edgesOf(policies)).toEqual(want);
  });

  test('are dotted where only some pods are reached', () => {
    const one = PODS.map((each, index) => (index === 0 ? { ...each, labels: new Map([['app', 'other']]) } : each));
    expect(edgesOf([toApi({ ingress: [{ from: [{ pods: { app: 'client' } }] }] })], one)).toContain(
      'node a/client --> node a/deployment/api 8080/TCP',
    );
    expect(edgesOf([toApi({ ingress: [] })], one)).toContain('everyone  ..> node a/deployment/api 8080/TCP');
  });

  test('are of everybody only where that is true of all pods of a workload', () => {
    const other = { labels: new Map([['app', 'other']]) };
    const some = PODS.map((each) => (each.namespace === 'b' && each.name === 'api-1' ? { ...each, ...other } : each));
    const policies = [
      toApi({ ingress: [{ from: [{ namespaces: {} }] }] }),
      policy({ name: 'out', namespace: 'b', pods: { app: 'other' }, egress: [] }),
    ];
    const edges = edgesOf(policies, some);
    expect(edges).toContain('node b/client --> node a/deployment/api 8080/TCP');
    expect(edges).toContain('node b/deployment/api ..> node a/deployment/api 8080/TCP');
    expect(edges.filter((edge) => edge.startsWith('everyone'))).toEqual([]);
  });

  test('are between namespaces if asked', () => {
    const from = { namespaces: { 'kubernetes.io/metadata.name': 'b' } };
    expect(edgesOf([toApi({ ingress: [{ from: [from] }] })], PODS, BY_NAMESPACE)).toEqual([
      'node b --> node a 8080/TCP',
    ]);
  });
});

describe('drawings', () => {
  const shop: Cluster = cluster({
    pods: PODS.slice(0, 3),
    policies: [policy({ namespace: 'a', pods: { app: 'api' }, ingress: [{ from: [{ pods: { app: 'client' } }] }] })],
  });
  const drawing = drawingOf(connectionGraph(shop, BY_WORKLOAD));

  test('are Mermaid', () => {
    expect(mermaidText(drawing).split('\n').slice(-6)).toEqual([
      '  legend["Green: takes only what arrows show.<br>Dashed border: open to everybody."]:::legend',
      '  subgraph n2 ["a"]',
      '    n0["api (2)"]:::isolated',
      '    n1["client"]:::open',
      '  end',
      '  n1 -->|"8080/TCP"| n0',
    ]);
  });

  test('are DOT that Graphviz draws', async () => {
    const svg = (await instance()).renderString(dotText(drawing), { format: 'svg' });
    for (const label of ['a', 'api (2)', 'client', '8080/TCP']) expect(svg).toContain(`>${label}</text>`);
  });

  test.each([
    ['open', [], 'openSender'],
    ['isolated', [policy({ name: 'in', namespace: 'd', pods: { app: 'client' }, ingress: [] })], 'sender'],
  ])('mark an %s pod whose egress is isolated, of which "every pod" does not speak', (_, policies, style) => {
    const toAll = policy({ namespace: 'a', pods: { app: 'api' }, ingress: [{ from: [{ namespaces: {} }] }] });
    const silent = policy({ name: 'out', namespace: 'd', pods: { app: 'client' }, egress: [] });
    const graph = connectionGraph(cluster({ pods: PODS, policies: [toAll, silent, ...policies] }), BY_WORKLOAD);
    expect(graph.edges.map(({ from }) => endKey(from))).toEqual(['everyone ']);
    const { boxes, legend } = drawingOf(graph);
    expect(boxes.at(-1)?.shapes.map(({ label, style: own }) => [label, own])).toEqual([
      ['api (2)', 'open'],
      ['client', style],
    ]);
    expect(legend).toContain('Thick border: connects only to where arrows lead.');
    expect(legend).toContain('Every pod: all but those with a thick border.');
  });

  test('keep labels what they are', async () => {
    const odd = { ...drawing, shapes: [{ id: 'x', label: 'a "b" \\ c', style: 'outside' as const }] };
    const svg = (await instance()).renderString(dotText(odd), { format: 'svg' });
    expect(svg).toContain('>a &quot;b&quot; \\ c</text>');
    expect(mermaidText(odd)).toContain('x["a #quot;b#quot; \\ c"]:::outside');
  });
});
