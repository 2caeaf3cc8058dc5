import { cluster, namespace } from '../builders/cluster.ts';
import { connection } from '../builders/connection.ts';
import { pod } from '../builders/pod.ts';
import { policy, type PeerNotation } from '../builders/policy.ts';
import type { RequirementNotation } from '../builders/selector.ts';
import { allowed, denied, type Case } from './case.ts';

const web = pod({ name: 'web', labels: { app: 'web' }, ip: '10.1.0.2' });
const near = pod({ name: 'near', labels: { app: 'client', tier: 'a' }, ip: '10.1.0.1' });
const far = pod({ name: 'far', namespace: 'shop', labels: { app: 'client' }, ip: '10.2.0.1' });
const farOther = pod({ name: 'far-other', namespace: 'shop', labels: { app: 'batch' }, ip: '10.2.0.2' });
const elsewhere = '203.0.113.9';

const passes = allowed('not-isolated', 'rules default/policy#0');
const dropped = denied('not-isolated', 'no-rule default/policy');

/** One rule of ingress on web, with these peers. */
function from(...peers: readonly PeerNotation[]): Case['cluster'] {
  return cluster({
    namespaces: [namespace('default', { team: 'core' }), namespace('shop', { team: 'shop' })],
    pods: [web, near, far, farOther],
    policies: [policy({ pods: { app: 'web' }, ingress: [{ from: peers }] })],
  });
}

/** A connection from near, whose labels are app=client and tier=a, through one podSelector requirement. */
function requirement(expression: RequirementNotation, want: Case['want']): Case {
  const [key, operator, ...values] = expression;
  return {
    name: `10: ${key} ${operator} ${values.join(', ')} ${want.allowed ? 'matches' : 'misses'} app=client,tier=a`,
    cluster: from({ pods: [expression] }),
    connection: connection(near, web),
    want,
  };
}

/** Pods and namespaces as peers: rules 8 to 10. */
export const PEER_CASES: readonly Case[] = [
  {
    name: '8: an empty podSelector is every pod of the own namespace',
    cluster: from({ pods: {} }),
    connection: connection(near, web),
    want: passes,
  },
  {
    name: '8: an empty podSelector is no pod of another namespace',
    cluster: from({ pods: {} }),
    connection: connection(far, web),
    want: dropped,
  },
  {
    name: '8: an empty namespaceSelector is every pod of every namespace',
    cluster: from({ namespaces: {} }),
    connection: connection(farOther, web),
    want: passes,
  },
  {
    name: '8: an empty namespaceSelector is no address outside of the cluster',
    cluster: from({ namespaces: {} }),
    connection: connection(elsewhere, web),
    want: dropped,
  },
  {
    name: '9: podSelector alone takes a pod of the own namespace',
    cluster: from({ pods: { app: 'client' } }),
    connection: connection(near, web),
    want: passes,
  },
  {
    name: '9: podSelector alone takes no pod of another namespace',
    cluster: from({ pods: { app: 'client' } }),
    connection: connection(far, web),
    want: dropped,
  },
  {
    name: '9: namespaceSelector alone takes every pod of the namespace',
    cluster: from({ namespaces: { team: 'shop' } }),
    connection: connection(farOther, web),
    want: passes,
  },
  {
    name: '9: namespaceSelector alone takes no pod of the own namespace unless it selects that',
    cluster: from({ namespaces: { team: 'shop' } }),
    connection: connection(near, web),
    want: dropped,
  },
  {
    name: '9: both in one item: both must hold',
    cluster: from({ namespaces: { team: 'shop' }, pods: { app: 'client' } }),
    connection: connection(far, web),
    want: passes,
  },
  {
    name: '9: both in one item: the namespace alone is not enough',
    cluster: from({ namespaces: { team: 'shop' }, pods: { app: 'client' } }),
    connection: connection(farOther, web),
    want: dropped,
  },
  {
    name: '9: both in one item: the labels alone are not enough',
    cluster: from({ namespaces: { team: 'shop' }, pods: { app: 'client' } }),
    connection: connection(near, web),
    want: dropped,
  },
  {
    name: '9: two items: the namespace alone is enough',
    cluster: from({ namespaces: { team: 'shop' } }, { pods: { app: 'client' } }),
    connection: connection(farOther, web),
    want: passes,
  },
  {
    name: '9: two items: the labels alone are enough in the own namespace',
    cluster: from({ namespaces: { team: 'shop' } }, { pods: { app: 'client' } }),
    connection: connection(near, web),
    want: passes,
  },
  {
    name: '9: egress to a pod of another namespace, by both selectors',
    cluster: cluster({
      namespaces: [namespace('shop', { team: 'shop' })],
      pods: [web, far, farOther],
      policies: [policy({ egress: [{ to: [{ namespaces: { team: 'shop' }, pods: { app: 'client' } }] }] })],
    }),
    connection: connection(web, far),
    want: allowed('rules default/policy#0', 'not-isolated'),
  },
  {
    name: '10: a namespace is selected by its name label',
    cluster: from({ namespaces: { 'kubernetes.io/metadata.name': 'shop' } }),
    connection: connection(far, web),
    want: passes,
  },
  {
    name: '10: namespaceSelector looks at labels of the namespace, not of the pod',
    cluster: from({ namespaces: { app: 'client' } }),
    connection: connection(far, web),
    want: dropped,
  },
  {
    name: '10: NotIn on namespaces leaves the named one out',
    cluster: from({ namespaces: [['kubernetes.io/metadata.name', 'NotIn', 'shop', 'test']] }),
    connection: connection(far, web),
    want: dropped,
  },
  requirement(['app', 'In', 'client'], passes),
  requirement(['app', 'In', 'batch', 'client'], passes),
  requirement(['app', 'In', 'batch', 'web'], dropped),
  requirement(['zone', 'In', 'a'], dropped),
  requirement(['app', 'NotIn', 'batch', 'web'], passes),
  requirement(['app', 'NotIn', 'batch', 'client'], dropped),
  requirement(['zone', 'NotIn', 'a'], passes),
  requirement(['app', 'Exists'], passes),
  requirement(['zone', 'Exists'], dropped),
  requirement(['zone', 'DoesNotExist'], passes),
  requirement(['app', 'DoesNotExist'], dropped),
  {
    name: '10: all requirements must hold',
    cluster: from({
      pods: [
        ['app', 'In', 'client'],
        ['tier', 'NotIn', 'a'],
      ],
    }),
    connection: connection(near, web),
    want: dropped,
  },
  {
    name: '10: a policy selects its pods by expressions too',
    cluster: cluster({
      pods: [web, near],
      policies: [policy({ pods: [['tier', 'DoesNotExist']], ingress: [] })],
    }),
    connection: connection(near, web),
    want: dropped,
  },
];
