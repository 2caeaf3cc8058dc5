import { cluster } from '../builders/cluster.ts';
import { connection } from '../builders/connection.ts';
import { pod } from '../builders/pod.ts';
import { policy, type PeerNotation } from '../builders/policy.ts';
import { allowed, denied, type Case } from './case.ts';

const web = pod({ name: 'web', labels: { app: 'web' }, ip: ['10.1.0.2', 'fd00:1::2'] });
const client = pod({ name: 'client', labels: { app: 'client' }, ip: ['10.1.0.1', 'fd00:1::1'] });
const host = pod({ name: 'host', labels: { app: 'client' }, ip: '192.168.0.3', hostNetwork: true });

const passes = allowed('not-isolated', 'rules default/policy#0');
const dropped = denied('not-isolated', 'no-rule default/policy');

/** One rule of ingress on web, with these peers. */
function from(...peers: readonly PeerNotation[]): Case['cluster'] {
  return cluster({
    pods: [web, client, host],
    policies: [policy({ pods: { app: 'web' }, ingress: [{ from: peers }] })],
  });
}

const tenEight = { block: '10.0.0.0/8', except: ['10.9.0.0/16'] };

function block(name: string, peers: readonly PeerNotation[], [source, want]: [string, Case['want']]): Case {
  const destination = source.includes(':') ? 'fd00:1::2' : '10.1.0.2';
  return {
    name: `11: ${name}: ${source}`,
    cluster: from(...peers),
    connection: connection(source, destination),
    want,
  };
}

/** Address blocks, and what has an address without being a peer pod: rules 11 to 13. */
export const BLOCK_CASES: readonly Case[] = [
  block('the first address is in', [tenEight], ['10.0.0.0', passes]),
  block('the last address is in', [tenEight], ['10.255.255.255', passes]),
  block('before the first is out', [tenEight], ['9.255.255.255', dropped]),
  block('after the last is out', [tenEight], ['11.0.0.0', dropped]),
  block('the first of except is out', [tenEight], ['10.9.0.0', dropped]),
  block('the last of except is out', [tenEight], ['10.9.255.255', dropped]),
  block('before except is in', [tenEight], ['10.8.255.255', passes]),
  block('after except is in', [tenEight], ['10.10.0.0', passes]),
  block('another peer allows what except leaves out', [tenEight, { block: '10.9.1.0/24' }], ['10.9.1.7', passes]),
  block(
    'overlapping excepts add up',
    [{ block: '10.0.0.0/8', except: ['10.9.0.0/16', '10.9.1.0/24', '10.10.0.0/15'] }],
    ['10.11.3.4', dropped],
  ),
  block(
    'overlapping excepts leave the rest',
    [{ block: '10.0.0.0/8', except: ['10.9.0.0/16', '10.9.1.0/24', '10.10.0.0/15'] }],
    ['10.12.0.0', passes],
  ),
  block('/32 is one address', [{ block: '203.0.113.9/32' }], ['203.0.113.9', passes]),
  block('/32 is not its neighbour', [{ block: '203.0.113.9/32' }], ['203.0.113.8', dropped]),
  block('host bits are masked', [{ block: '203.0.113.9/24' }], ['203.0.113.200', passes]),
  block('0.0.0.0/0 is every IPv4 address', [{ block: '0.0.0.0/0' }], ['255.255.255.255', passes]),
  block('0.0.0.0/0 is no IPv6 address', [{ block: '0.0.0.0/0' }], ['2001:db8::1', dropped]),
  block('::/0 is every IPv6 address', [{ block: '::/0' }], ['2001:db8::1', passes]),
  block('::/0 is no IPv4 address', [{ block: '::/0' }], ['203.0.113.9', dropped]),
  block('the mapped block is no IPv4 address', [{ block: '::ffff:0:0/96' }], ['203.0.113.9', dropped]),
  block('/128 is one address', [{ block: '2001:db8::9/128' }], ['2001:db8::9', passes]),
  block('/128 is not its neighbour', [{ block: '2001:db8::9/128' }], ['2001:db8::8', dropped]),
  block(
    'a prefix that ends within the second word: in',
    [{ block: '2001:db8::/33' }],
    ['2001:db8:7fff:ffff::1', passes],
  ),
  block('a prefix that ends within the second word: out', [{ block: '2001:db8::/33' }], ['2001:db8:8000::', dropped]),
  block('the IPv6 except is out', [{ block: '::/0', except: ['2001:db8::/32'] }], ['2001:db8:1::1', dropped]),
  block('a dual-stack pod by its IPv4 address', [{ block: '10.1.0.1/32' }], ['10.1.0.1', passes]),
  block('a dual-stack pod by its other address', [{ block: '10.1.0.1/32' }], ['fd00:1::1', dropped]),
  {
    name: '11: except of one policy, allowed by another',
    cluster: cluster({
      pods: [web],
      policies: [
        policy({ name: 'one', ingress: [{ from: [tenEight] }] }),
        policy({ name: 'two', ingress: [{ from: [{ block: '10.9.0.0/24' }] }] }),
      ],
    }),
    connection: connection('10.9.0.1', '10.1.0.2'),
    want: allowed('not-isolated', 'rules default/two#0'),
  },
  {
    name: '11: egress to a block outside of the cluster',
    cluster: cluster({ pods: [web], policies: [policy({ egress: [{ to: [tenEight] }] })] }),
    connection: connection(web, '10.9.0.1'),
    want: denied('no-rule default/policy', 'not-isolated'),
  },
  {
    name: '12: a block takes the address of a pod like any other',
    cluster: from({ block: '10.1.0.0/24' }),
    connection: connection(client, web),
    want: passes,
  },
  {
    name: '12: a pod in except is allowed if its labels are',
    cluster: from({ block: '10.1.0.0/24', except: ['10.1.0.1/32'] }, { pods: { app: 'client' } }),
    connection: connection(client, web),
    want: passes,
  },
  {
    name: '13: a host-network pod is never isolated',
    cluster: cluster({ pods: [host, client], policies: [policy({ ingress: [], egress: [] })] }),
    connection: connection(host, '203.0.113.9'),
    want: allowed('not-isolated', 'not-isolated'),
  },
  {
    name: '13: a host-network pod is no peer by its labels',
    cluster: from({ pods: { app: 'client' } }, { namespaces: {} }),
    connection: connection(host, web),
    want: dropped,
  },
  {
    name: '13: a host-network pod is a peer by the address of its node',
    cluster: from({ block: '192.168.0.0/24' }),
    connection: connection(host, web),
    want: passes,
  },
];
