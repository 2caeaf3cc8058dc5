import { cluster } from '../builders/cluster.ts';
import { connection } from '../builders/connection.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';
import { allowed, denied, type Case } from './case.ts';

const client = pod({ name: 'client', labels: { app: 'client' }, ip: '10.1.0.1' });
const web = pod({ name: 'web', labels: { app: 'web' }, ip: '10.1.0.2' });
const pods = [client, web];
const onWeb = { app: 'web' };
const onClient = { app: 'client' };
const elsewhere = '203.0.113.9';

/** Isolation, direction, union and what empty lists mean: rules 1 to 7. */
export const ISOLATION_CASES: readonly Case[] = [
  {
    name: '1: without policies everything passes',
    cluster: cluster({ pods }),
    connection: connection(client, web),
    want: allowed('not-isolated', 'not-isolated'),
  },
  {
    name: '1: a policy that selects another pod isolates nobody else',
    cluster: cluster({ pods, policies: [policy({ pods: { app: 'db' }, ingress: [], egress: [] })] }),
    connection: connection(client, web),
    want: allowed('not-isolated', 'not-isolated'),
  },
  {
    name: '1: egress only does not isolate ingress',
    cluster: cluster({ pods, policies: [policy({ pods: onWeb, egress: [] })] }),
    connection: connection(client, web),
    want: allowed('not-isolated', 'not-isolated'),
  },
  {
    name: '1: ingress only does not isolate egress',
    cluster: cluster({ pods, policies: [policy({ pods: onWeb, ingress: [] })] }),
    connection: connection(web, client),
    want: allowed('not-isolated', 'not-isolated'),
  },
  {
    name: '1: addresses that are no pod are never isolated',
    cluster: cluster({ pods, policies: [policy({ ingress: [], egress: [] })] }),
    connection: connection(elsewhere, '203.0.113.10'),
    want: allowed('not-isolated', 'not-isolated'),
  },
  {
    name: '2: an allow-all wins over a deny-all before it',
    cluster: cluster({
      pods,
      policies: [
        policy({ name: 'deny', pods: onWeb, ingress: [] }),
        policy({ name: 'allow', pods: onWeb, ingress: [{}] }),
      ],
    }),
    connection: connection(client, web),
    want: allowed('not-isolated', 'rules default/allow#0'),
  },
  {
    name: '2: an allow-all wins over a deny-all after it',
    cluster: cluster({
      pods,
      policies: [
        policy({ name: 'allow', pods: onWeb, ingress: [{}] }),
        policy({ name: 'deny', pods: onWeb, ingress: [] }),
      ],
    }),
    connection: connection(client, web),
    want: allowed('not-isolated', 'rules default/allow#0'),
  },
  {
    name: '2: every matching rule of every policy is named, in order',
    cluster: cluster({
      pods,
      policies: [
        policy({ name: 'b', ingress: [{ ports: ['81'] }, { ports: ['80'] }, {}] }),
        policy({ name: 'a', ingress: [{ from: [{ pods: onClient }] }] }),
      ],
    }),
    connection: connection(client, web, '80'),
    want: allowed('not-isolated', 'rules default/b#1 default/b#2 default/a#0'),
  },
  {
    name: '2: peers of one policy and ports of another do not add up to a rule',
    cluster: cluster({
      pods,
      policies: [
        policy({ name: 'peers', ingress: [{ from: [{ pods: onClient }], ports: ['81'] }] }),
        policy({ name: 'ports', ingress: [{ from: [{ pods: { app: 'db' } }], ports: ['80'] }] }),
      ],
    }),
    connection: connection(client, web, '80'),
    want: denied('not-isolated', 'no-rule default/peers default/ports'),
  },
  {
    name: '3: egress denies what ingress allows',
    cluster: cluster({
      pods,
      policies: [
        policy({ name: 'out', pods: onClient, egress: [] }),
        policy({ name: 'in', pods: onWeb, ingress: [{ from: [{ pods: onClient }] }] }),
      ],
    }),
    connection: connection(client, web),
    want: denied('no-rule default/out', 'rules default/in#0'),
  },
  {
    name: '3: ingress denies what egress allows',
    cluster: cluster({
      pods,
      policies: [
        policy({ name: 'out', pods: onClient, egress: [{ to: [{ pods: onWeb }] }] }),
        policy({ name: 'in', pods: onWeb, ingress: [] }),
      ],
    }),
    connection: connection(client, web),
    want: denied('rules default/out#0', 'no-rule default/in'),
  },
  {
    name: '3: both directions allow',
    cluster: cluster({
      pods,
      policies: [
        policy({ name: 'out', pods: onClient, egress: [{ to: [{ pods: onWeb }] }] }),
        policy({ name: 'in', pods: onWeb, ingress: [{ from: [{ pods: onClient }] }] }),
      ],
    }),
    connection: connection(client, web),
    want: allowed('rules default/out#0', 'rules default/in#0'),
  },
  {
    name: '3: an egress rule lets nobody in',
    cluster: cluster({
      pods,
      policies: [policy({ pods: onWeb, ingress: [], egress: [{ to: [{ pods: onClient }] }] })],
    }),
    connection: connection(client, web),
    want: denied('not-isolated', 'no-rule default/policy'),
  },
  {
    name: '4, 5: a direction that the policy ignores stays open',
    cluster: cluster({ pods, policies: [policy({ ingress: [] })] }),
    connection: connection(web, elsewhere),
    want: allowed('not-isolated', 'not-isolated'),
  },
  {
    name: '6: no rules deny all ingress, from outside too',
    cluster: cluster({ pods, policies: [policy({ ingress: [] })] }),
    connection: connection(elsewhere, web),
    want: denied('not-isolated', 'no-rule default/policy'),
  },
  {
    name: '6: no rules deny all egress, to outside too',
    cluster: cluster({ pods, policies: [policy({ egress: [] })] }),
    connection: connection(client, elsewhere),
    want: denied('no-rule default/policy', 'not-isolated'),
  },
  {
    name: '6: a rule {} allows all',
    cluster: cluster({ pods, policies: [policy({ ingress: [{}], egress: [{}] })] }),
    connection: connection(client, web, '9/SCTP'),
    want: allowed('rules default/policy#0', 'rules default/policy#0'),
  },
  {
    name: '6: a rule without peers matches addresses outside of the cluster',
    cluster: cluster({ pods, policies: [policy({ ingress: [{ ports: ['80'] }] })] }),
    connection: connection(elsewhere, web, '80'),
    want: allowed('not-isolated', 'rules default/policy#0'),
  },
  {
    name: '6: a rule without peers still asks for its ports',
    cluster: cluster({ pods, policies: [policy({ ingress: [{ ports: ['80'] }] })] }),
    connection: connection(elsewhere, web, '81'),
    want: denied('not-isolated', 'no-rule default/policy'),
  },
  {
    name: '6: a rule without ports matches every port of every protocol',
    cluster: cluster({ pods, policies: [policy({ ingress: [{ from: [{ pods: onClient }] }] })] }),
    connection: connection(client, web, '65535/UDP'),
    want: allowed('not-isolated', 'rules default/policy#0'),
  },
  {
    name: '6: a rule without ports still asks for its peers',
    cluster: cluster({ pods, policies: [policy({ ingress: [{ from: [{ pods: onClient }] }] })] }),
    connection: connection(elsewhere, web),
    want: denied('not-isolated', 'no-rule default/policy'),
  },
  {
    name: '7: a policy does not select pods of another namespace',
    cluster: cluster({ pods, policies: [policy({ namespace: 'shop', ingress: [], egress: [] })] }),
    connection: connection(client, web),
    want: allowed('not-isolated', 'not-isolated'),
  },
  {
    name: '7: an empty podSelector selects every pod of its namespace, without labels too',
    cluster: cluster({
      pods: [client, pod({ name: 'bare', ip: '10.1.0.9' })],
      policies: [policy({ ingress: [] })],
    }),
    connection: connection(client, '10.1.0.9'),
    want: denied('not-isolated', 'no-rule default/policy'),
  },
];
