import { cluster } from '../builders/cluster.ts';
import { connection } from '../builders/connection.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';
import { allowed, denied, type Case } from './case.ts';

const web = pod({ name: 'web', ip: ['10.1.0.2', 'fd00:1::2'], node: ['192.168.0.1', 'fd00:ff::1'] });
const client = pod({ name: 'client', labels: { app: 'client' }, ip: '10.1.0.1', node: '192.168.0.2' });
const denyAll = policy({ ingress: [], egress: [] });
const closed = cluster({ pods: [web, client], policies: [denyAll] });
const dropped = denied('no-rule default/policy', 'no-rule default/policy');

const finished = pod({ name: 'job', labels: { app: 'job' }, ip: '10.1.0.7', phase: 'Succeeded' });
const failed = pod({ name: 'crash', labels: { app: 'job' }, ip: '10.1.0.8', phase: 'Failed' });
const heir = pod({ name: 'heir', labels: { app: 'heir' }, ip: '10.1.0.7' });
const host = pod({ name: 'agent', labels: { app: 'agent' }, ip: '192.168.0.1', hostNetwork: true });

/** What policies do not stop, and what they do not see: rules 18, 19, 22 and 23. */
export const EXEMPT_CASES: readonly Case[] = [
  {
    name: '18: a pod reaches itself by its own address',
    cluster: closed,
    connection: connection(web, web),
    want: allowed('itself', 'itself'),
  },
  {
    name: '18: by its IPv6 address too',
    cluster: closed,
    connection: connection('fd00:1::2', 'fd00:1::2', '53/UDP'),
    want: allowed('itself', 'itself'),
  },
  {
    name: '18: without policies it is just not isolated',
    cluster: cluster({ pods: [web] }),
    connection: connection(web, web),
    want: allowed('not-isolated', 'not-isolated'),
  },
  {
    name: '18: each direction says so only if it is isolated',
    cluster: cluster({ pods: [web], policies: [policy({ ingress: [] })] }),
    connection: connection(web, web),
    want: allowed('not-isolated', 'itself'),
  },
  {
    name: '18: another pod with the same labels is not itself',
    cluster: cluster({ pods: [web, pod({ name: 'web2', ip: '10.1.0.3' })], policies: [denyAll] }),
    connection: connection(web, '10.1.0.3'),
    want: dropped,
  },
  {
    name: '19: its own node reaches a pod',
    cluster: closed,
    connection: connection('192.168.0.1', web),
    want: allowed('not-isolated', 'node'),
  },
  {
    name: '19: its own node reaches a pod by IPv6',
    cluster: closed,
    connection: connection('fd00:ff::1', 'fd00:1::2'),
    want: allowed('not-isolated', 'node'),
  },
  {
    name: '19: a pod reaches its own node',
    cluster: closed,
    connection: connection(web, '192.168.0.1'),
    want: allowed('node', 'not-isolated'),
  },
  {
    name: '19: another node is like any address: ingress',
    cluster: closed,
    connection: connection('192.168.0.2', web),
    want: denied('not-isolated', 'no-rule default/policy'),
  },
  {
    name: '19: another node is like any address: egress',
    cluster: closed,
    connection: connection(web, '192.168.0.2'),
    want: denied('no-rule default/policy', 'not-isolated'),
  },
  {
    name: '19: a host-network pod on the own node is the node',
    cluster: cluster({ pods: [web, host], policies: [denyAll] }),
    connection: connection(host, web),
    want: allowed('not-isolated', 'node'),
  },
  {
    name: '19: a pod of the same node is not the node',
    cluster: cluster({
      pods: [web, pod({ name: 'neighbour', namespace: 'shop', ip: '10.1.0.5', node: '192.168.0.1' })],
      policies: [denyAll],
    }),
    connection: connection('10.1.0.5', web),
    want: denied('not-isolated', 'no-rule default/policy'),
  },
  {
    name: '19: the node is named before the rules that allow it too',
    cluster: cluster({ pods: [web], policies: [policy({ ingress: [{}] })] }),
    connection: connection('192.168.0.1', web),
    want: allowed('not-isolated', 'node'),
  },
  {
    name: '22: ICMP to a pod that is not isolated',
    cluster: cluster({ pods: [web, client] }),
    connection: connection(client, web, 'ICMP'),
    want: allowed('not-isolated', 'not-isolated'),
  },
  {
    name: '22: ICMP passes a rule that names no ports',
    cluster: cluster({ pods: [web, client], policies: [policy({ ingress: [{ from: [{ pods: {} }] }] })] }),
    connection: connection(client, web, 'ICMP'),
    want: allowed('not-isolated', 'rules default/policy#0'),
  },
  {
    name: '22: ICMP passes no rule that names ports, nor one of all ports of all protocols',
    cluster: cluster({
      pods: [web, client],
      policies: [policy({ ingress: [{ ports: ['*/TCP', '*/UDP', '*/SCTP', '1-65535'] }] })],
    }),
    connection: connection(client, web, 'ICMP'),
    want: denied('not-isolated', 'no-rule default/policy'),
  },
  {
    name: '22: ICMP passes no rule whose peers do not match',
    cluster: cluster({
      pods: [web, client],
      policies: [policy({ ingress: [{ from: [{ pods: { app: 'db' } }] }] })],
    }),
    connection: connection(client, web, 'ICMP'),
    want: denied('not-isolated', 'no-rule default/policy'),
  },
  {
    name: '23: a succeeded pod is no subject',
    cluster: cluster({ pods: [finished], policies: [denyAll] }),
    connection: connection('203.0.113.9', finished),
    want: allowed('not-isolated', 'not-isolated'),
  },
  {
    name: '23: a failed pod is no subject',
    cluster: cluster({ pods: [failed], policies: [denyAll] }),
    connection: connection(failed, '203.0.113.9'),
    want: allowed('not-isolated', 'not-isolated'),
  },
  {
    name: '23: a finished pod is no peer',
    cluster: cluster({
      pods: [finished, web],
      policies: [policy({ ingress: [{ from: [{ pods: { app: 'job' } }] }] })],
    }),
    connection: connection(finished, web),
    want: denied('not-isolated', 'no-rule default/policy'),
  },
  {
    name: '23: an address belongs to the running pod, though a finished one had it first',
    cluster: cluster({
      pods: [finished, heir, web],
      policies: [policy({ name: 'web', ingress: [{ from: [{ pods: { app: 'heir' } }] }] })],
    }),
    connection: connection('10.1.0.7', web),
    want: allowed('not-isolated', 'rules default/web#0'),
  },
  {
    name: '23: its policies are those of the running pod',
    cluster: cluster({
      pods: [finished, heir],
      policies: [
        policy({ name: 'job', pods: { app: 'job' }, ingress: [{}] }),
        policy({ name: 'heir', pods: { app: 'heir' }, ingress: [] }),
      ],
    }),
    connection: connection('203.0.113.9', '10.1.0.7'),
    want: denied('not-isolated', 'no-rule default/heir'),
  },
  {
    name: '23: should two running pods have one address, the first owns it',
    cluster: cluster({
      pods: [heir, pod({ name: 'twin', labels: { app: 'twin' }, ip: '10.1.0.7' })],
      policies: [
        policy({ name: 'twin', pods: { app: 'twin' }, ingress: [{}] }),
        policy({ name: 'heir', pods: { app: 'heir' }, ingress: [] }),
      ],
    }),
    connection: connection('203.0.113.9', '10.1.0.7'),
    want: denied('not-isolated', 'no-rule default/heir'),
  },
  {
    name: '23: a pending pod with an address is isolated already',
    cluster: cluster({ pods: [pod({ phase: 'Pending', ip: '10.1.0.6' })], policies: [denyAll] }),
    connection: connection('203.0.113.9', '10.1.0.6'),
    want: denied('not-isolated', 'no-rule default/policy'),
  },
  {
    name: '23: a pod without an address lends its labels to nobody',
    cluster: cluster({
      pods: [web, pod({ name: 'new', phase: 'Pending', labels: { app: 'new' } })],
      policies: [policy({ ingress: [{ from: [{ pods: { app: 'new' } }] }] })],
    }),
    connection: connection('10.1.0.6', web),
    want: denied('not-isolated', 'no-rule default/policy'),
  },
];
