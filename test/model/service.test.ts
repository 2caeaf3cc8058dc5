import { describe, expect, test } from 'vitest';
import { backends, serviceEndpoints } from '../../src/model/service.ts';
import type { Family } from '../../src/net/ip.ts';
import { pod } from '../builders/pod.ts';
import { service, servicePort } from '../builders/service.ts';

const both = pod({ name: 'both', labels: { app: 'web' }, ip: ['10.0.0.1', 'fd00::1'], ports: ['http=8080'] });
const four = pod({ name: 'four', labels: { app: 'web' }, ip: '10.0.0.2', ports: ['http=8081', 'dns=53/UDP'] });
const six = pod({ name: 'six', labels: { app: 'web' }, ip: 'fd00::3' });
const ended = pod({ name: 'ended', labels: { app: 'web' }, ip: '10.0.0.4', phase: 'Succeeded' });
const waiting = pod({ name: 'waiting', labels: { app: 'web' }, phase: 'Pending' });
const starting = pod({ name: 'starting', labels: { app: 'web' }, ip: '10.0.0.8', phase: 'Pending' });
const other = pod({ name: 'other', labels: { app: 'db' }, ip: '10.0.0.5' });
const elsewhere = pod({ name: 'elsewhere', namespace: 'shop', labels: { app: 'web' }, ip: '10.0.0.6' });
const pods = [six, both, ended, four, waiting, starting, other, elsewhere];

describe('backends', () => {
  test.each([
    [
      'pods that the selector selects, in order',
      service({ pods: { app: 'web' } }),
      ['six', 'both', 'four', 'starting'],
    ],
    ['none without a selector', service({}), []],
    [
      'all of the namespace with an empty selector',
      service({ pods: {} }),
      ['six', 'both', 'four', 'starting', 'other'],
    ],
    ['those of its own namespace only', service({ namespace: 'shop', pods: { app: 'web' } }), ['elsewhere']],
  ])('are %s', (_, given, want) => {
    expect(backends(given, pods).map(({ name }) => name)).toEqual(want);
  });
});

describe('serviceEndpoints', () => {
  test.each<[string, { port: string; family: Family }, string[]]>([
    ['the port itself', { port: '80', family: 4 }, ['10.0.0.1 80', '10.0.0.2 80']],
    ['another number', { port: '80:8000', family: 6 }, ['fd00::3 8000', 'fd00::1 8000']],
    ['a name, with a number of each pod', { port: '80:http', family: 4 }, ['10.0.0.1 8080', '10.0.0.2 8081']],
    ['a name that one pod has', { port: '53:dns/UDP', family: 4 }, ['10.0.0.2 53']],
    ['a name with another protocol', { port: '53:dns', family: 4 }, []],
    ['a name that no pod of the family has', { port: '80:dns/UDP', family: 6 }, []],
  ])('%s: %j', (_, { port: notation, family }, want) => {
    const endpoints = serviceEndpoints(servicePort(notation), [six, both, four], family);
    expect(endpoints.map(({ address, port }) => `${address.text} ${port}`)).toEqual(want);
  });
});
