import { describe, expect, test } from 'vitest';
import { endpointText, parseEndpoint, podsOf } from '../../src/model/endpoint.ts';
import { podKey } from '../../src/model/pod.ts';
import { cluster } from '../builders/cluster.ts';
import { given } from '../builders/given.ts';
import { pod } from '../builders/pod.ts';
import { service } from '../builders/service.ts';

describe('parseEndpoint', () => {
  test.each([
    ['a pod', 'default/web', 'default/web'],
    ['a pod whose name has dots', 'default/web.1', 'default/web.1'],
    ['a pod by its kind', 'default/pod/web', 'default/web'],
    ['a pod by a short kind', 'default/po/web', 'default/web'],
    ['a Deployment', 'shop/deployment/web', 'shop/deployment/web'],
    ['a short kind', 'shop/deploy/web', 'shop/deployment/web'],
    ['a plural', 'shop/statefulsets/db', 'shop/statefulset/db'],
    ['a kind with its group', 'shop/deployments.apps/web', 'shop/deployment/web'],
    ['a kind as manifests write it', 'shop/DaemonSet/agent', 'shop/daemonset/agent'],
    ['a Service', 'default/svc/web', 'default/service/web'],
    ['an IPv4 address', '192.0.2.1', '192.0.2.1'],
    ['an IPv6 address, made canonical', '2001:DB8::0:1', '2001:db8::1'],
  ])('takes %s', (_, text, want) => {
    expect(endpointText(given(parseEndpoint(text), text))).toBe(want);
  });

  test.each([
    ['nothing', ''],
    ['a name alone', 'web'],
    ['an empty namespace', '/web'],
    ['an empty name', 'default/'],
    ['capitals', 'default/Web'],
    ['a namespace with dots', '10.0.0.0/24'],
    ['an unknown kind', 'default/gadget/web'],
    ['a kind that has no address', 'default/netpol/web'],
    ['too many parts', 'default/deploy/web/1'],
    ['a short address', '10.1'],
    ['an address with leading zeros', '010.0.0.1'],
    ['an address with a zone', 'fe80::1%eth0'],
    ['blanks', 'default/ web'],
  ])('does not take %s', (_, text) => {
    expect(parseEndpoint(text)).toBeUndefined();
  });
});

describe('podsOf', () => {
  const owned = (name: string, ip: string) => ({
    ...pod({ name, ip, labels: { app: 'web' } }),
    owner: { kind: 'Deployment', name: 'web' },
  });
  const ended = pod({ name: 'ended', ip: '10.0.0.9', phase: 'Succeeded' });
  const heir = pod({ name: 'heir', ip: ['10.0.0.9', 'fd00::9'] });
  const everything = cluster({
    pods: [owned('web-1', '10.0.0.1'), owned('web-2', '10.0.0.2'), ended, heir],
    services: [service({ name: 'web', ip: '10.96.0.1', pods: { app: 'web' } })],
  });

  test.each([
    ['a pod', 'default/web-1', ['default/web-1']],
    ['a finished pod', 'default/ended', ['default/ended']],
    ['every pod of a workload', 'default/deploy/web', ['default/web-1', 'default/web-2']],
    ['no workload of another kind', 'default/sts/web', []],
    ['no workload of another namespace', 'shop/deploy/web', []],
    ['the pods behind a Service', 'default/svc/web', ['default/web-1', 'default/web-2']],
    ['the pod that has the address now', '10.0.0.9', ['default/heir']],
    ['a pod by its IPv6 address', 'fd00::9', ['default/heir']],
    ['nothing at an address outside', '192.0.2.1', []],
    ['nothing of an unknown name', 'default/nobody', []],
  ])('finds %s', (_, text, want) => {
    expect(podsOf(everything, given(parseEndpoint(text), text)).map(podKey)).toEqual(want);
  });
});
