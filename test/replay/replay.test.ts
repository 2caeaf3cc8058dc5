import { describe, expect, test } from 'vitest';
import { FlowReader } from '../../src/replay/flow-reader.ts';
import { Replay, type ReplayReport } from '../../src/replay/replay.ts';
import { cluster } from '../builders/cluster.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';
import { service } from '../builders/service.ts';

const SHOP = cluster({
  pods: [
    {
      ...pod({ name: 'web-abc', labels: { app: 'web' }, ip: '10.0.0.1', ports: ['8080'] }),
      owner: { kind: 'Deployment', name: 'web' },
    },
    pod({ name: 'client', labels: { app: 'client' }, ip: '10.0.0.3' }),
    pod({ name: 'other', labels: { app: 'other' }, ip: '10.0.0.4' }),
  ],
  services: [service({ name: 'web', ip: '10.96.0.1', pods: { app: 'web' }, ports: ['80:8080'] })],
  policies: [
    policy({ pods: { app: 'web' }, ingress: [{ from: [{ pods: { app: 'client' } }], ports: ['8080'] }] }),
    policy({ name: 'out', pods: { app: 'other' }, egress: [{ to: [{ pods: { app: 'web' } }] }] }),
  ],
});

function replay(...lines: string[]): ReplayReport {
  const reader = new FlowReader();
  const judge = new Replay(SHOP);
  lines.forEach((line, index) => {
    const reading = reader.read(line);
    if (reading) judge.add(reading, index + 1);
  });
  return judge.report();
}

/** A flow as `flows -o json` prints it. */
function labFlow(from: string, to: string, verdict: string, more: object = {}): string {
  const end = (text: string) =>
    text.includes('/') ? { name: text, address: '10.9.9.9' } : { name: '', address: text };
  const side = { verdict, isolated: false, policies: [] };
  const ends = { from: end(from), to: end(to), protocol: 'TCP', sourcePort: 40000, port: 8080 };
  return JSON.stringify({ time: '2026-01-01T00:00:00.000Z', ...ends, verdict, egress: side, ingress: side, ...more });
}

/** A flow as Hubble prints it: from default/NAME to the pod web-xyz of the Deployment web, of which the manifests have another. */
function hubbleFlow(from: string, more: object = {}): object {
  return {
    ...{
      time: '2026-01-01T00:00:00Z',
      verdict: 'FORWARDED',
      is_reply: false,
      traffic_direction: 'INGRESS',
      Type: 'L3_L4',
    },
    IP: { source: '10.0.0.3', destination: '10.0.0.1', ipVersion: 'IPv4' },
    l4: { TCP: { source_port: 40000, destination_port: 8080, flags: { SYN: true } } },
    source: { namespace: 'default', pod_name: from, identity: 1 },
    destination: { namespace: 'default', pod_name: 'web-xyz', workloads: [{ name: 'web', kind: 'Deployment' }] },
    ...more,
  };
}

/** `unchanged`, `deny`, `allow`, or why it is not judged. */
function outcomeOf(line: string | object): string {
  const { changes, unjudged, unchanged } = replay(typeof line === 'string' ? line : JSON.stringify(line));
  return changes[0]?.verdict ?? unjudged[0]?.reason ?? (unchanged === 1 ? 'unchanged' : 'nothing');
}

describe('our own flows', () => {
  test.each([
    ['what stays allowed', labFlow('default/client', 'default/web-abc', 'allow'), 'unchanged'],
    ['what stays denied', labFlow('default/other', 'default/web-abc', 'deny'), 'unchanged'],
    ['what is newly denied', labFlow('default/other', 'default/web-abc', 'allow'), 'deny'],
    ['what is newly allowed', labFlow('default/client', 'default/web-abc', 'deny'), 'allow'],
    ['from outside', labFlow('192.0.2.1', 'default/web-abc', 'allow'), 'deny'],
    [
      'a host outside that has a name',
      labFlow('192.0.2.1', 'default/web-abc', 'allow', { from: { name: 'api.example.com', address: '192.0.2.1' } }),
      'deny',
    ],
    ['ICMP', labFlow('default/client', 'default/web-abc', 'allow', { protocol: 'ICMP', port: 0 }), 'deny'],
    [
      'a pod that is not there',
      labFlow('default/gone', 'default/web-abc', 'allow'),
      'not in the manifests: default/gone',
    ],
    ['no port', labFlow('default/client', 'default/web-abc', 'allow', { port: 0 }), 'no protocol and port'],
    ['no verdict', labFlow('default/client', 'default/web-abc', 'maybe'), 'no verdict'],
    [
      'no end',
      labFlow('default/client', 'default/web-abc', 'allow', { to: {} }),
      'an end without a name or an address',
    ],
    ['no JSON', '{"from":', 'no JSON'],
    ['nothing', '  ', 'nothing'],
  ])('%s', (_, line, want) => {
    expect(outcomeOf(line)).toBe(want);
  });
});

describe("Hubble's flows", () => {
  test.each([
    ['bare', hubbleFlow('client'), 'unchanged'],
    ['in an envelope', { flow: hubbleFlow('client'), node_name: 'n', time: '2026-01-01T00:00:00Z' }, 'unchanged'],
    ['newly denied', { flow: hubbleFlow('other') }, 'deny'],
    ['that left, and may be dropped on arrival', hubbleFlow('other', { traffic_direction: 'EGRESS' }), 'unchanged'],
    ['dropped by a policy', hubbleFlow('client', { verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED' }), 'allow'],
    [
      'dropped, and still denied at the other end',
      hubbleFlow('other', { verdict: 'DROPPED', traffic_direction: 'EGRESS' }),
      'unchanged',
    ],
    [
      'dropped for another reason',
      hubbleFlow('client', { verdict: 'DROPPED', drop_reason_desc: 'CT_MAP_INSERTION_FAILED' }),
      'dropped, and not by a policy, or without a verdict',
    ],
    [
      'without a verdict',
      hubbleFlow('client', { verdict: 'ERROR' }),
      'dropped, and not by a policy, or without a verdict',
    ],
    ['a reply', hubbleFlow('client', { is_reply: true }), 'a reply: its connection is judged by the first packet'],
    ['ICMP', hubbleFlow('client', { l4: { ICMPv4: { type: 8, code: 0 } } }), 'deny'],
    ['without a transport', hubbleFlow('client', { l4: undefined }), 'no protocol and port'],
    [
      'from the world',
      hubbleFlow('', { source: { identity: 2, labels: ['reserved:world'] }, IP: { source: '192.0.2.1' } }),
      'deny',
    ],
    [
      'to a workload that is not there',
      hubbleFlow('client', { destination: { namespace: 'default', pod_name: 'x' } }),
      'not in the manifests: default/x',
    ],
  ])('%s', (_, flow, want) => {
    expect(outcomeOf(flow)).toBe(want);
  });
});

describe('CSV', () => {
  test('is read under its header, in any order, quoted or not', () => {
    const lines = [
      'Port,from,"to",protocol,verdict',
      '8080,default/client,"default/deploy/web",tcp,allowed',
      '80,default/other,default/svc/web,,FORWARDED',
    ];
    expect(replay(...lines)).toMatchObject({
      judged: 2,
      unchanged: 1,
      changes: [
        { from: 'default/other', to: 'default/service/web', port: 80, verdict: 'deny', count: 1, firstLine: 3 },
      ],
    });
  });

  test('counts what it cannot judge', () => {
    const lines = [
      'from,to,port',
      'default/client,default/web-abc,8080',
      'default/client,web,8080',
      'x',
      'a/b,a/c,99999',
    ];
    expect(replay(...lines)).toMatchObject({
      judged: 0,
      unjudged: [
        { reason: 'no verdict to compare with', count: 1, firstLine: 2 },
        { reason: 'an end that is neither a pod nor a workload nor an address', count: 1, firstLine: 3 },
        { reason: 'no protocol and port', count: 2, firstLine: 4 },
      ],
    });
  });

  test('without such a header is nothing', () => {
    expect(replay('a,b,c', 'd,e,f').unjudged).toEqual([
      { reason: 'neither JSON nor CSV with a header of from, to and port', count: 2, firstLine: 1 },
    ]);
  });
});

test('equal flows are counted together, denials first and the most frequent before', () => {
  const often = labFlow('default/other', 'default/web-abc', 'allow');
  const report = replay(
    labFlow('default/client', 'default/web-abc', 'deny'),
    labFlow('192.0.2.1', 'default/web-abc', 'allow'),
    often,
    often,
  );
  expect(report.changes.map(({ from, verdict, count, firstLine }) => [from, verdict, count, firstLine])).toEqual([
    ['default/other', 'deny', 2, 3],
    ['192.0.2.1', 'deny', 1, 2],
    ['default/client', 'allow', 1, 1],
  ]);
  expect(report).toMatchObject({ judged: 4, unchanged: 0, newlyDenied: 3, newlyAllowed: 1 });
});
