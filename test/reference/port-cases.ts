import { cluster } from '../builders/cluster.ts';
import { connection } from '../builders/connection.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';
import { allowed, denied, type Case } from './case.ts';

const client = pod({ name: 'client', labels: { app: 'client' }, ip: '10.1.0.1', ports: ['http=9000'] });
const web = pod({
  name: 'web',
  labels: { app: 'web' },
  ip: '10.1.0.2',
  ports: ['http=8080', 'dns=53/UDP', '7000'],
  sidecarPorts: ['metrics=9090'],
  initPorts: ['setup=7777'],
});
const web2 = pod({ name: 'web2', labels: { app: 'web' }, ip: '10.1.0.3', ports: ['http=8081', 'dns=53'] });
const bare = pod({ name: 'bare', labels: { app: 'web' }, ip: '10.1.0.4', ports: ['8080'] });
const hostWeb = pod({ name: 'host', ip: '192.168.0.3', hostNetwork: true, ports: ['http=8080'] });
const pods = [client, web, web2, bare, hostWeb];

const passes = allowed('not-isolated', 'rules default/policy#0');
const dropped = denied('not-isolated', 'no-rule default/policy');
const outPasses = allowed('rules default/policy#0', 'not-isolated');
const outDropped = denied('no-rule default/policy', 'not-isolated');

/** One rule of ingress on all pods with these ports. */
function open(...ports: readonly string[]): Case['cluster'] {
  return cluster({ pods, policies: [policy({ pods: { app: 'web' }, ingress: [{ ports }] })] });
}

/** A connection to web through a rule with these ports. */
function toWeb(name: string, ports: readonly string[], [port, want]: [string, Case['want']]): Case {
  return { name: `${name}: ${port}`, cluster: open(...ports), connection: connection(client, web, port), want };
}

/** A connection from client, whose egress rule has these ports. */
function out(name: string, ports: readonly string[], [to, port, want]: [string, string, Case['want']]): Case {
  return {
    name,
    cluster: cluster({ pods, policies: [policy({ pods: { app: 'client' }, egress: [{ ports }] })] }),
    connection: connection(client, to, port),
    want,
  };
}

/** Ports, protocols and names: rules 14 to 17. */
export const PORT_CASES: readonly Case[] = [
  toWeb('14: TCP does not stand for UDP', ['80/TCP'], ['80/UDP', dropped]),
  toWeb('14: UDP does not stand for SCTP', ['80/UDP'], ['80/SCTP', dropped]),
  toWeb('14: SCTP does not stand for TCP', ['80/SCTP'], ['80/TCP', dropped]),
  toWeb('14: each protocol by its own item', ['80/TCP', '81/UDP', '82/SCTP'], ['82/SCTP', passes]),
  toWeb('14: the port of one item, the protocol of another', ['80/TCP', '81/UDP'], ['81/TCP', dropped]),
  toWeb('15: a protocol without port: the first', ['*/UDP'], ['1/UDP', passes]),
  toWeb('15: a protocol without port: the last', ['*/UDP'], ['65535/UDP', passes]),
  toWeb('15: a protocol without port: another protocol', ['*/UDP'], ['80/TCP', dropped]),
  toWeb('15: a range, before', ['80-90'], ['79', dropped]),
  toWeb('15: a range, its first', ['80-90'], ['80', passes]),
  toWeb('15: a range, its last', ['80-90'], ['90', passes]),
  toWeb('15: a range, after', ['80-90'], ['91', dropped]),
  toWeb('15: a range, another protocol', ['80-90'], ['85/UDP', dropped]),
  toWeb('15: a range of one', ['80-80'], ['80', passes]),
  toWeb('15: the whole range', ['1-65535'], ['65535', passes]),
  toWeb('15: adjacent ranges, at the seam', ['80-90', '91-99'], ['91', passes]),
  toWeb('15: overlapping ranges, after both', ['80-95', '90-99'], ['100', dropped]),
  out('15: endPort holds for egress: its last', ['80-90'], ['203.0.113.9', '90', outPasses]),
  out('15: endPort holds for egress: after', ['80-90'], ['203.0.113.9', '91', outDropped]),
  toWeb('16: a name is looked up on the selected pod', ['http'], ['8080', passes]),
  toWeb('16: a name is no other number', ['http'], ['9000', dropped]),
  toWeb('16: an unknown name matches nothing', ['grpc'], ['8080', dropped]),
  toWeb('16: name and protocol must both match: they do', ['dns/UDP'], ['53/UDP', passes]),
  toWeb('16: name and protocol must both match: the rule asks for another', ['dns/TCP'], ['53/TCP', dropped]),
  toWeb('16: name and protocol must both match: the connection has another', ['dns/UDP'], ['53/TCP', dropped]),
  toWeb('16: a name of a restartable init container counts', ['metrics'], ['9090', passes]),
  toWeb('16: a name of an ordinary init container does not', ['setup'], ['7777', dropped]),
  {
    name: '16: one name, another number on another pod',
    cluster: open('http'),
    connection: connection(client, web2, '8081'),
    want: passes,
  },
  {
    name: '16: one name, the number of the other pod',
    cluster: open('http'),
    connection: connection(client, web2, '8080'),
    want: dropped,
  },
  {
    name: '16: one name, two protocols on two pods',
    cluster: open('dns/TCP'),
    connection: connection(client, web2, '53/TCP'),
    want: passes,
  },
  {
    name: '16: a pod without the name never matches, though it has the number',
    cluster: open('http'),
    connection: connection(client, bare, '8080'),
    want: dropped,
  },
  out('16: for egress the name is looked up on the peer', ['http'], ['10.1.0.2', '8080', outPasses]),
  out('16: for egress the name is not looked up on the selected pod', ['http'], ['10.1.0.2', '9000', outDropped]),
  out('16: an address that is no pod has no names', ['http'], ['203.0.113.9', '8080', outDropped]),
  out('16: nor has the address of a host-network pod', ['http'], ['192.168.0.3', '8080', outDropped]),
  {
    name: '16: a name and a block: the pod behind the address has the name',
    cluster: cluster({
      pods,
      policies: [policy({ pods: { app: 'client' }, egress: [{ to: [{ block: '10.1.0.0/24' }], ports: ['http'] }] })],
    }),
    connection: connection(client, web2, '8081'),
    want: allowed('rules default/policy#0', 'not-isolated'),
  },
  out("17: a Service's port is not the pod's: judged after translation", ['80'], ['10.1.0.2', '8080', outDropped]),
  {
    name: '17: a block of cluster addresses matches no pod behind them',
    cluster: cluster({
      pods,
      policies: [policy({ pods: { app: 'client' }, egress: [{ to: [{ block: '10.96.0.0/12' }] }] })],
    }),
    connection: connection(client, web, '8080'),
    want: denied('no-rule default/policy', 'not-isolated'),
  },
];
