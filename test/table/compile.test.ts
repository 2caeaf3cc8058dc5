import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../src/model/cluster.ts';
import type { Connection } from '../../src/model/verdict.ts';
import { compile } from '../../src/table/compile.ts';
import { openTable } from '../../src/table/decider.ts';
import { cluster, namespace } from '../builders/cluster.ts';
import { connection } from '../builders/connection.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';
import { decideByNumbers, numberOf } from '../reference/numbers.ts';
import { verdictText } from '../reference/verdict-text.ts';

describe('pods that policies cannot tell apart share an identity', () => {
  test.each([
    {
      name: 'labels in another order',
      pods: [{ labels: { a: '1', b: '2' } }, { labels: { b: '2', a: '1' } }],
      count: 1,
    },
    { name: 'another label', pods: [{ labels: { a: '1' } }, { labels: { a: '2' } }], count: 2 },
    { name: 'another namespace', pods: [{ namespace: 'a' }, { namespace: 'b' }], count: 2 },
    { name: 'another unnamed port', pods: [{ ports: ['80'] }, { ports: ['81'] }], count: 1 },
    { name: 'another number of a named port', pods: [{ ports: ['http=80'] }, { ports: ['http=81'] }], count: 2 },
    { name: 'another node', pods: [{ node: '192.168.0.1' }, { node: '192.168.0.2' }], count: 1 },
    { name: 'a finished one is none', pods: [{}, { labels: { a: '1' }, phase: 'Succeeded' as const }], count: 1 },
    { name: 'one of its node is none', pods: [{}, { labels: { a: '1' }, hostNetwork: true }], count: 1 },
    { name: 'one without address is none', pods: [{}, { labels: { a: '1' }, ip: [] }], count: 1 },
  ])('$name', ({ pods, count }) => {
    const given = pods.map((notation, index) => pod({ name: `pod-${index}`, ip: `10.0.0.${index + 1}`, ...notation }));
    expect(compile(cluster({ pods: given })).stats.identities).toBe(count);
  });
});

test('pods that the same policies isolate share a row, also where they are many', () => {
  const pods = Array.from({ length: 50 }, (_, index) =>
    pod({
      name: `pod-${index}`,
      labels: { app: `app-${index}`, tier: index % 2 ? 'web' : 'db' },
      ip: `10.0.0.${index}`,
    }),
  );
  const policies = [
    policy({ pods: { tier: 'web' }, ingress: [{ ports: ['80'] }] }),
    policy({ pods: { tier: 'db' }, ingress: [{ ports: ['5432'] }] }),
  ];
  expect(compile(cluster({ pods, policies })).stats).toMatchObject({ identities: 50, rows: 3, columns: 51 });
});

describe('named ports', () => {
  const client = pod({ name: 'client', labels: { app: 'client' }, ip: '10.0.0.1', ports: ['http=9000'] });
  const one = pod({
    name: 'one',
    labels: { app: 'web' },
    ip: '10.0.0.2',
    ports: ['http=8080', 'http=8081', 'dns=53/UDP'],
  });
  const two = pod({ name: 'two', labels: { app: 'web' }, ip: '10.0.0.3', sidecarPorts: ['http=8081'] });
  const pods = [client, one, two];
  const ingress = cluster({
    pods,
    policies: [policy({ pods: { app: 'web' }, ingress: [{ ports: ['http', 'dns/UDP'] }] })],
  });
  const toAny = cluster({
    pods,
    policies: [policy({ pods: { app: 'client' }, egress: [{ ports: ['http', '443'] }] })],
  });
  const toWeb = cluster({
    pods,
    policies: [policy({ pods: { app: 'client' }, egress: [{ to: [{ pods: { app: 'web' } }], ports: ['http'] }] })],
  });
  test.each<[name: string, Cluster, Connection, number]>([
    ['ingress: on the subject', ingress, connection(client, one, '8080'), 0],
    ['ingress: the first of a name counts', ingress, connection(client, one, '8081'), 2],
    ['ingress: two subjects of one policy', ingress, connection(client, two, '8081'), 0],
    ['ingress: not the other subject’s', ingress, connection(client, two, '8080'), 2],
    ['ingress: never the peer’s', ingress, connection(client, two, '9000'), 2],
    ['ingress: from outside', ingress, connection('8.8.8.8', one, '8080'), 0],
    ['ingress: with its protocol', ingress, connection(client, one, '53/UDP'), 0],
    ['ingress: not with another protocol', ingress, connection(client, one, '53/TCP'), 2],
    ['egress to any: on the peer', toAny, connection(client, one, '8080'), 0],
    ['egress to any: on another peer', toAny, connection(client, two, '8081'), 0],
    ['egress to any: not another peer’s', toAny, connection(client, two, '8080'), 1],
    ['egress to any: never the subject’s', toAny, connection(client, two, '9000'), 1],
    ['egress to any: the number beside it', toAny, connection(client, '8.8.8.8', '443'), 0],
    ['egress to any: no name outside', toAny, connection(client, '8.8.8.8', '8080'), 1],
    ['egress to pods: on the peer', toWeb, connection(client, one, '8080'), 0],
    ['egress to pods: not another peer’s', toWeb, connection(client, one, '8081'), 1],
  ])('%s', (...[, given, question, want]) => {
    expect(bothAnswers(given, question)).toBe(want);
  });
});

describe('addresses of nodes', () => {
  const near = pod({ name: 'near', ip: '10.0.0.1', node: ['192.168.0.1', '192.168.0.9'] });
  const far = pod({ name: 'far', ip: '10.0.0.2', node: ['192.168.0.2', '192.168.0.9'] });
  const given = cluster({ pods: [near, far], policies: [policy({ ingress: [], egress: [] })] });
  test.each<[name: string, Connection, number]>([
    ['from the own node', connection('192.168.0.1', near), 0],
    ['to the own node', connection(near, '192.168.0.1'), 0],
    ['from another node', connection('192.168.0.2', near), 2],
    ['to another node', connection(near, '192.168.0.2'), 1],
    ['an address that two nodes share', connection('192.168.0.9', far), 0],
  ])('%s', (_, question, want) => {
    expect(bothAnswers(given, question)).toBe(want);
  });
});

describe('nothing limits a table by accident', () => {
  const server = pod({ name: 'server', labels: { app: 'server' }, ip: '10.0.0.1' });

  test('a rule for each of 65,535 ports but one', { timeout: 30_000 }, () => {
    const ports = Array.from({ length: 65_535 }, (_, index) => String(index + 1)).filter((port) => port !== '4242');
    const given = cluster({
      pods: [server],
      policies: [policy({ ingress: ports.map((port) => ({ from: [{ block: '10.9.0.0/16' }], ports: [port] })) })],
    });
    const table = compile(given);
    const decider = openTable(table.buffer);
    expect(table.stats.portSets).toBeGreaterThan(65_000);
    for (const [port, want] of Object.entries({ 1: 0, 4241: 0, 4242: 2, 4243: 0, 65535: 0 })) {
      expect(decideByNumbers(decider, connection('10.9.0.1', server, port))).toBe(want);
    }
  });

  test('70,000 blocks, each with a class of its own', { timeout: 30_000 }, () => {
    const blocks = Array.from(
      { length: 70_000 },
      (_, index) => `20.${index >> 13}.${(index >> 5) & 255}.${(index & 31) * 8}/30`,
    );
    const given = cluster({
      pods: [server],
      policies: [policy({ ingress: [{ from: blocks.map((block) => ({ block })), ports: ['80'] }] })],
    });
    const table = compile(given);
    const decider = openTable(table.buffer);
    expect(table.stats.cidrClasses).toBe(70_001);
    expect(decideByNumbers(decider, connection('20.8.139.120', server))).toBe(0);
    expect(decideByNumbers(decider, connection('20.8.139.123', server))).toBe(0);
    expect(decideByNumbers(decider, connection('20.8.139.124', server))).toBe(2);
    expect(decideByNumbers(decider, connection('20.8.255.120', server))).toBe(2);
  });
});

describe('explain names everything that matches', () => {
  test('all rules of all policies, in order', () => {
    const web = pod({ name: 'web', labels: { app: 'web' }, ip: '10.0.0.1' });
    const client = pod({ name: 'client', namespace: 'other', ip: '10.0.0.2' });
    const given = cluster({
      namespaces: [namespace('other', { env: 'test' })],
      pods: [web, client],
      policies: [
        policy({ name: 'b', ingress: [{ ports: ['80'] }, { ports: ['81'] }, { from: [{ block: '10.0.0.0/24' }] }] }),
        policy({ name: 'a', ingress: [{ from: [{ namespaces: { env: 'test' } }] }] }),
        policy({ name: 'elsewhere', namespace: 'other', ingress: [{}] }),
      ],
    });
    const table = compile(given);
    expect(verdictText(table.explain(connection(client, web, '80'))).ingress).toBe(
      'rules default/b#0 default/b#2 default/a#0',
    );
    expect(verdictText(table.explain(connection('8.8.8.8', web, '82'))).ingress).toBe('no-rule default/b default/a');
  });
});

/** The number for the connection; explain() must come to the same. */
function bothAnswers(given: Cluster, question: Connection): number {
  const table = compile(given);
  const number = decideByNumbers(openTable(table.buffer), question);
  expect(numberOf(table.explain(question))).toBe(number);
  return number;
}
