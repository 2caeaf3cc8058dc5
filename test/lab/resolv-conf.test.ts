import { expect, test } from 'vitest';
import { resolvConf } from '../../src/lab/resolv-conf.ts';
import { pod } from '../builders/pod.ts';

const SEARCH = 'shop.svc.cluster.local svc.cluster.local cluster.local';
const OWN = {
  nameServers: ['10.0.0.1', '10.96.0.10'],
  searches: ['a.example', 'cluster.local'],
  options: [
    { name: 'ndots', value: '2' },
    { name: 'edns0', value: '' },
  ],
};
const NOTHING = { nameServers: [], searches: [], options: [] };

test.each([
  [
    'asks the cluster',
    { ofCluster: true, ...NOTHING },
    ['nameserver 10.96.0.10', `search ${SEARCH}`, 'options ndots:5'],
  ],
  [
    'asks the cluster first',
    { ofCluster: true, ...OWN },
    ['nameserver 10.96.0.10', 'nameserver 10.0.0.1', `search ${SEARCH} a.example`, 'options ndots:2 edns0'],
  ],
  [
    'does not ask the cluster',
    { ofCluster: false, ...OWN },
    ['nameserver 10.0.0.1', 'nameserver 10.96.0.10', 'search a.example cluster.local', 'options ndots:2 edns0'],
  ],
  ['has name servers alone', { ofCluster: false, ...NOTHING, nameServers: ['10.0.0.1'] }, ['nameserver 10.0.0.1']],
])('a pod that %s', (_, resolver, lines) => {
  const text = resolvConf({ ...pod({ namespace: 'shop' }), resolver }, ['10.96.0.10']);
  expect(text).toBe(`${lines.join('\n')}\n`);
});
