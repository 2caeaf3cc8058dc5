import { describe, expect, test } from 'vitest';
import { declaredPorts, isEndpoint, isFinished, namedPort, podKey } from '../../src/model/pod.ts';
import { pod } from '../builders/pod.ts';

describe('isEndpoint', () => {
  test.each([
    ['a running pod', { ip: '10.0.0.1' }, true],
    ['a pending pod with an address', { ip: '10.0.0.1', phase: 'Pending' }, true],
    ['a pod without an address', {}, false],
    ['a succeeded pod', { ip: '10.0.0.1', phase: 'Succeeded' }, false],
    ['a failed pod', { ip: '10.0.0.1', phase: 'Failed' }, false],
    ['a host-network pod', { ip: '10.0.0.1', hostNetwork: true }, false],
  ] as const)('%s: %j: %s', (_, notation, want) => {
    expect(isEndpoint(pod(notation))).toBe(want);
  });
});

test.each([
  ['Pending', false],
  ['Running', false],
  ['Succeeded', true],
  ['Failed', true],
] as const)('isFinished: %s: %s', (phase, want) => {
  expect(isFinished(pod({ phase }))).toBe(want);
});

test('podKey tells pods of one name in two namespaces apart', () => {
  expect(podKey(pod({ namespace: 'a', name: 'web' }))).toBe('a/web');
  expect(podKey(pod({ namespace: 'b', name: 'web' }))).toBe('b/web');
});

const many = pod({
  ports: ['http=8080', 'dns=53/UDP', 'dns=5353', '7000'],
  sidecarPorts: ['metrics=9090', 'http=18080'],
  initPorts: ['setup=7777', 'http=1'],
});

test('declaredPorts lists containers, then restartable init containers, and no others', () => {
  expect(declaredPorts(many).map(({ port }) => port)).toEqual([8080, 53, 5353, 7000, 9090, 18080]);
});

describe('namedPort', () => {
  test.each([
    ['a name', { name: 'http', protocol: 'TCP' }, 8080],
    ['one name, another protocol', { name: 'dns', protocol: 'UDP' }, 53],
    ['one name, the other protocol', { name: 'dns', protocol: 'TCP' }, 5353],
    ['of a restartable init container', { name: 'metrics', protocol: 'TCP' }, 9090],
    ['of an init container that ends', { name: 'setup', protocol: 'TCP' }, undefined],
    ['with a protocol it is not declared for', { name: 'http', protocol: 'UDP' }, undefined],
    ['unknown', { name: 'grpc', protocol: 'TCP' }, undefined],
  ] as const)('%s: %j', (_, { name, protocol }, want) => {
    expect(namedPort(many, name, protocol)).toBe(want);
  });
});
