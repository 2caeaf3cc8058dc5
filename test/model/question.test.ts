import { describe, expect, test } from 'vitest';
import { parseEndpoint } from '../../src/model/endpoint.ts';
import { parsePortSpec, partyText, toConnection, type Answer } from '../../src/model/question.ts';
import type { Service } from '../../src/model/service.ts';
import { portNumber } from '../builders/address.ts';
import { cluster } from '../builders/cluster.ts';
import { given } from '../builders/given.ts';
import { pod } from '../builders/pod.ts';
import { service } from '../builders/service.ts';

const api = (name: string, ip: string) => ({
  ...pod({ name, ip, labels: { app: 'api' } }),
  owner: { kind: 'Deployment', name: 'api' },
});
const webName: Service = { ...service({ name: 'away' }), kind: { kind: 'external', name: 'example.com' } };

const everything = cluster({
  pods: [
    pod({ name: 'client', ip: ['10.0.0.1', 'fd00::1'] }),
    pod({ name: 'web', ip: ['10.0.0.2', 'fd00::2'], labels: { app: 'web' }, ports: ['http=8080'] }),
    pod({ name: 'four', ip: '10.0.0.3' }),
    pod({ name: 'six', ip: 'fd00::3' }),
    pod({ name: 'done', ip: '10.0.0.4', phase: 'Succeeded' }),
    pod({ name: 'waiting', phase: 'Pending' }),
    pod({ name: 'host', node: '192.168.0.1', hostNetwork: true }),
    api('api-1', '10.0.0.5'),
    api('api-2', '10.0.0.6'),
    pod({ name: 'db-main', namespace: 'shop', ip: '10.0.0.7' }),
  ],
  services: [
    service({ name: 'web', ip: ['10.96.0.1', 'fd00:96::1'], pods: { app: 'web' }, ports: ['80:http'] }),
    service({ name: 'head', pods: { app: 'web' }, ports: ['80:http'] }),
    service({ name: 'api', ip: '10.96.0.2', pods: { app: 'api' }, ports: ['80'] }),
    service({ name: 'empty', ip: '10.96.0.3', pods: { app: 'nobody' }, ports: ['80'] }),
    service({ name: 'lost', ip: '10.96.0.4', pods: { app: 'api' }, ports: ['80:gone'] }),
    webName,
  ],
});

function ask(from: string, to: string, port = 80): Answer {
  return toConnection(everything, {
    from: given(parseEndpoint(from), from),
    to: given(parseEndpoint(to), to),
    transport: 'TCP',
    port: portNumber(port),
  });
}

function connectionText(answer: Answer): string {
  if (answer.kind === 'problem') return `problem: ${answer.message}`;
  const { source, destination, port } = answer.connection;
  return `${source.text} ${destination.text} ${port} ${partyText(answer.from)} ${partyText(answer.to)}`;
}

describe('toConnection', () => {
  test.each([
    ['IPv4 where both have it', 'default/client', 'default/web', '10.0.0.1 10.0.0.2 80 default/client default/web'],
    [
      'IPv6 where one has nothing else',
      'default/client',
      'default/six',
      'fd00::1 fd00::3 80 default/client default/six',
    ],
    ['the family of an address', 'fd00::1', 'default/web', 'fd00::1 fd00::2 80 default/client default/web'],
    ['an address outside', '192.0.2.1', 'default/web', '192.0.2.1 10.0.0.2 80 192.0.2.1 default/web'],
    ['two addresses outside', '192.0.2.1', '192.0.2.2', '192.0.2.1 192.0.2.2 80 192.0.2.1 192.0.2.2'],
    [
      'the address of a finished pod as a bare one',
      '10.0.0.4',
      'default/web',
      '10.0.0.4 10.0.0.2 80 10.0.0.4 default/web',
    ],
    ['a pod with itself', 'default/web', 'default/web', '10.0.0.2 10.0.0.2 80 default/web default/web'],
    [
      'a workload with another pod of it',
      'default/deploy/api',
      'default/deploy/api',
      '10.0.0.5 10.0.0.6 80 default/api-1 default/api-2',
    ],
    [
      'a host-network pod by its node',
      'default/host',
      'default/web',
      '192.168.0.1 10.0.0.2 80 default/host default/web',
    ],
    [
      'a Service by name, with its target port',
      'default/client',
      'default/svc/web',
      '10.0.0.1 10.0.0.2 8080 default/client default/web',
    ],
    ['a Service by address', 'default/client', '10.96.0.1', '10.0.0.1 10.0.0.2 8080 default/client default/web'],
    [
      'a Service by its IPv6 address',
      'default/client',
      'fd00:96::1',
      'fd00::1 fd00::2 8080 default/client default/web',
    ],
    [
      'a headless Service, port untouched',
      'default/client',
      'default/svc/head',
      '10.0.0.1 10.0.0.2 80 default/client default/web',
    ],
    [
      'a Service from a pod behind it, another pod',
      'default/api-1',
      'default/svc/api',
      '10.0.0.5 10.0.0.6 80 default/api-1 default/api-2',
    ],
    ['a Service as source', 'default/svc/api', 'default/web', '10.0.0.5 10.0.0.2 80 default/api-1 default/web'],
  ])('connects %s', (_, from, to, want) => {
    expect(connectionText(ask(from, to))).toBe(want);
  });

  test.each([
    ['a misspelt pod', 'default/wbe', 'default/web', 'no pod default/wbe; did you mean default/web?'],
    ['swapped namespaces', 'shop/db-mian', 'default/web', 'no pod shop/db-mian; did you mean shop/db-main?'],
    [
      'a workload taken for a pod',
      'default/api',
      'default/web',
      'no pod default/api; did you mean default/deployment/api (any pod of it)?',
    ],
    [
      'a misspelt workload',
      'default/deploy/apo',
      'default/web',
      'no Deployment default/apo with pods; did you mean default/deployment/api?',
    ],
    [
      'a misspelt Service',
      'default/client',
      'default/svc/wbe',
      'no Service default/wbe; did you mean default/service/web?',
    ],
    [
      'a finished pod',
      'default/done',
      'default/web',
      'pod default/done has finished (Succeeded): it makes and takes no connections',
    ],
    ['a pod without address', 'default/client', 'default/waiting', 'pod default/waiting has no address yet'],
    [
      'two families',
      'default/four',
      'default/six',
      'no address family in common: default/four has IPv4, default/six has IPv6',
    ],
    [
      'a Service without that port',
      'default/client',
      'default/svc/api',
      'Service default/api has no port 81/TCP; it has 80/TCP',
      81,
    ],
    ['a Service without pods', 'default/client', 'default/svc/empty', 'no pod is behind Service default/empty'],
    [
      'a target port that no pod has',
      'default/client',
      'default/svc/lost',
      'no pod behind Service default/lost has the address or the port "gone" that 80 leads to',
    ],
    [
      'an ExternalName',
      'default/client',
      'default/svc/away',
      'Service default/away is only a name for example.com: ask for an address of that host',
    ],
  ])('refuses %s', (_, from, to, message, port = 80) => {
    expect(ask(from, to, port)).toEqual({ kind: 'problem', message });
  });

  test('lists what there is where no name is near', () => {
    const answer = ask('default/zzzzzzzzzzzzzz', 'default/web');
    expect(connectionText(answer)).toMatch(
      /^problem: no pod default\/z+; there are default\/client, .*… \(10 in all\)$/,
    );
  });

  test.each([
    ['nothing about two pods', 'default/client', 'default/web', []],
    ['which pod of a workload', 'default/deploy/api', 'default/web', ['default/deployment/api is here default/api-1']],
    [
      'where a Service leads',
      'default/client',
      'default/svc/web',
      ['Service default/web leads here to default/web port 8080'],
    ],
    ['no port that stays the same', 'default/client', '10.96.0.2', ['Service default/api leads here to default/api-1']],
  ])('notes %s', (_, from, to, notes) => {
    expect(ask(from, to)).toMatchObject({ notes });
  });
});

describe('parsePortSpec', () => {
  test.each([
    ['80', { protocol: 'TCP', port: 80 }],
    ['80/TCP', { protocol: 'TCP', port: 80 }],
    ['53/udp', { protocol: 'UDP', port: 53 }],
    ['65535/SCTP', { protocol: 'SCTP', port: 65535 }],
  ])('takes %s', (text, want) => {
    expect(parsePortSpec(text)).toEqual(want);
  });

  test.each(['', '0', '65536', '-1', '80/', '/TCP', '80/ICMP', '80/TCP/x', 'http', ' 80', '8e1', '0x50', '80.0'])(
    'does not take "%s"',
    (text) => {
      expect(parsePortSpec(text)).toBeUndefined();
    },
  );
});
