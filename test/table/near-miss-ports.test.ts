import { describe, expect, test } from 'vitest';
import type { EndNotation } from '../builders/connection.ts';
import { policy, type IngressNotation } from '../builders/policy.ts';
import { client, missesOf, web } from './near-miss-fixture.ts';

/** The only miss of a rule that isolates web for ingress, or shop's client for egress. */
function ingressOf(rule: IngressNotation, port = '8080', from: EndNotation = client) {
  return missesOf([policy({ name: 'p', ingress: [rule] })], [from, web, port]);
}

function egressOf({ from: to, ports }: IngressNotation, port = '8080', target: EndNotation = web) {
  const rule = { ...(to && { to }), ...(ports && { ports }) };
  return missesOf([policy({ name: 'p', namespace: 'shop', egress: [rule] })], [client, target, port]);
}

const everywhere = { namespaces: {} };

describe.each([
  ['ingress', ingressOf],
  ['egress', egressOf],
] as const)('the difference in ports, for %s', (direction, misses) => {
  test.each<[string, string[], string, object[]]>([
    [
      'the protocol',
      ['53/UDP'],
      '53',
      [
        {
          kind: 'protocol',
          actual: 'TCP',
          enough: 'UDP',
          text: 'rule allows 53/UDP, you connected by TCP',
        },
      ],
    ],
    [
      'all ports of another protocol',
      ['*/SCTP'],
      '53/UDP',
      [{ kind: 'protocol', actual: 'UDP', enough: 'SCTP', text: 'rule allows all of SCTP, you connected by UDP' }],
    ],
    [
      'a named port of another protocol',
      ['dns/UDP'],
      '53',
      [{ kind: 'protocol', text: 'rule allows dns/UDP, you connected by TCP' }],
    ],
    [
      'the port',
      ['443'],
      '8080',
      [
        {
          kind: 'port',
          actual: 8080,
          first: 443,
          last: 443,
          service: null,
          text: 'rule allows 443, you connected to 8080',
        },
      ],
    ],
    [
      'a range of ports',
      ['8000-8079'],
      '8080',
      [{ kind: 'port', first: 8000, last: 8079, text: 'rule allows 8000-8079, you connected to 8080' }],
    ],
    [
      'the Service’s port in place of the pod’s',
      ['80'],
      '8080',
      [
        {
          kind: 'port',
          service: { namespace: 'default', name: 'web', port: 80, target: 8080 },
          text: 'rule allows 80, you connected to 8080; 80 is the port of Service default/web, which leads to 8080 here',
        },
      ],
    ],
    [
      'the Service’s port at the pod itself',
      ['8080'],
      '81',
      [
        {
          kind: 'port',
          text: 'rule allows 8080, you connected to 81; 81 is the port of Service default/web, which leads to 8080 here',
        },
      ],
    ],
    [
      'a Service’s port of another protocol, which explains nothing',
      ['53'],
      '54',
      [{ kind: 'port', service: null, text: 'rule allows 53, you connected to 54' }],
    ],
    [
      'a named port',
      ['http'],
      '8081',
      [
        {
          kind: 'named-port',
          name: 'http',
          protocol: 'TCP',
          actual: 8081,
          enough: 8080,
          text: 'rule allows port http, which is 8080 here, you connected to 8081',
        },
      ],
    ],
    [
      'a named port that only the source has',
      ['web'],
      '9000',
      [{ kind: 'named-port', enough: null, text: 'rule allows port web/TCP, default/web has none of that name' }],
    ],
    [
      'both protocol and port',
      ['53/UDP'],
      '54',
      [
        { kind: 'protocol', enough: 'UDP' },
        { kind: 'port', first: 53 },
      ],
    ],
    ['the nearest of several', ['53/UDP', '443', '80'], '8080', [{ kind: 'port', first: 80 }]],
    ['ICMP', ['80'], 'ICMP', [{ kind: 'icmp', text: 'rule allows 80, ICMP passes only rules that name no ports' }]],
  ])('%s', (_, ports, port, want) => {
    const found = misses({ from: [everywhere], ports }, port);
    expect(found).toMatchObject([{ direction, name: 'p', rule: 0, differences: want }]);
    expect(found[0]?.differences).toHaveLength(want.length);
  });
});

test('a named port leads nowhere outside the cluster', () => {
  expect(egressOf({ ports: ['http'] }, '8080', '192.0.2.7')).toMatchObject([
    {
      differences: [
        {
          kind: 'named-port',
          enough: null,
          text: 'rule allows port http/TCP, 192.0.2.7, which is no pod, has none of that name',
        },
      ],
    },
  ]);
});
