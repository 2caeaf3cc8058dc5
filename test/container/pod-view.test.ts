import { describe, expect, test } from 'vitest';
import { FOLLOWED, type FollowedName } from '../../src/container/followed.ts';
import { PodView } from '../../src/container/pod-view.ts';
import type { KubeObject } from '../../src/kube/list-watch.ts';
import { connectionDecider } from '../../src/table/connection-decider.ts';
import { ip, portNumber } from '../builders/address.ts';

const OWN = '10.244.0.3';

function object(name: FollowedName, key: string, fields: object = {}): KubeObject {
  const { apiVersion, kind } = FOLLOWED[name];
  const [namespace = '', own = ''] = key.split('/');
  const given = fields as { metadata?: object };
  const metadata = { name: own, ...(namespace === '' ? {} : { namespace }), ...given.metadata };
  return { apiVersion, kind, ...fields, metadata };
}

function pod(key: string, podIP: string, labels: object = {}): KubeObject {
  const spec = { containers: [{ name: 'main', image: 'idle' }] };
  return object('pods', key, { metadata: { labels }, spec, status: { phase: 'Running', podIP } });
}

function namespace(name: string, labels: object = {}): KubeObject {
  return object('namespaces', `/${name}`, { metadata: { labels } });
}

/** What pod x/self accepts from pods whose namespace lacks the label `closed`. */
const FROM_OPEN = object('networkpolicies', 'x/open', {
  spec: {
    podSelector: {},
    ingress: [{ from: [{ namespaceSelector: { matchExpressions: [{ key: 'closed', operator: 'DoesNotExist' }] } }] }],
  },
});

/** A view of pod x/self. */
function selfView(): PodView {
  const view = new PodView('x/self', [ip(OWN)]);
  view.put('namespaces', namespace('x'));
  view.put('pods', pod('x/self', OWN));
  return view;
}

function accepts(view: PodView, source: string, own = OWN): boolean {
  const decide = connectionDecider(view.table.snapshot());
  return decide({ source: ip(source), destination: ip(own), transport: 'TCP', port: portNumber(80) }) === 0;
}

test.each([OWN, '10.245.0.3'])('to Cilium a block matches no pod, whatever the network of its lab: %s', (own) => {
  const view = new PodView('x/self', [ip(own)]);
  view.put('namespaces', namespace('x'));
  view.put('pods', pod('x/self', own));
  const rule = { from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] };
  view.put('networkpolicies', object('networkpolicies', 'x/block', { spec: { podSelector: {}, ingress: [rule] } }));
  const [peer, outside] = [own.replace('0.3', '0.4'), '10.9.0.1'];
  expect([peer, outside].map((source) => accepts(view, source, own))).toEqual([true, true]);
  view.enforceAs('cilium');
  expect([peer, outside].map((source) => accepts(view, source, own))).toEqual([false, true]);
});

describe('what a proxy does not know yet', () => {
  test('a pod of a namespace whose labels are not known is nobody', () => {
    const view = selfView();
    view.put('networkpolicies', FROM_OPEN);
    view.put('pods', pod('y/peer', '10.244.0.4'));
    expect(accepts(view, '10.244.0.4')).toBe(false);
    view.put('namespaces', namespace('y'));
    expect(accepts(view, '10.244.0.4')).toBe(true);
    view.remove('namespaces', namespace('y'));
    expect(accepts(view, '10.244.0.4')).toBe(false);
  });

  test('a namespace that cannot be understood has no pods, and heals', () => {
    const view = selfView();
    view.put('networkpolicies', FROM_OPEN);
    view.put('pods', pod('y/peer', '10.244.0.4'));
    view.put('namespaces', namespace('y', { closed: 7 }));
    expect(view.complaints).toHaveLength(1);
    expect(accepts(view, '10.244.0.4')).toBe(false);
    view.put('namespaces', namespace('y'));
    expect(view.complaints).toEqual([]);
    expect(accepts(view, '10.244.0.4')).toBe(true);
  });

  test('the pod itself: without its object or its namespace nothing may pass', () => {
    const view = new PodView('x/self', [ip(OWN)]);
    expect(view.self).toBeUndefined();
    view.put('pods', pod('x/self', OWN));
    expect(view.self).toBeUndefined();
    view.put('namespaces', namespace('x'));
    expect(view.self).toBeDefined();
    view.put('pods', object('pods', 'x/self', { spec: { containers: 'none' } }));
    expect(view.self).toBeUndefined();
  });
});

test('a pod that claims the address of this one does not have it', () => {
  const view = new PodView('x/self', [ip(OWN)]);
  view.put('namespaces', namespace('x'));
  view.put(
    'networkpolicies',
    object('networkpolicies', 'x/deny', { spec: { podSelector: { matchLabels: { app: 'a' } } } }),
  );
  view.put('pods', pod('x/other', OWN));
  view.put('pods', pod('x/self', '', { app: 'a' }));
  view.put('pods', pod('x/peer', '10.244.0.4'));
  expect(accepts(view, '10.244.0.4')).toBe(false);
});

test('a list takes the place of all that was known', () => {
  const view = selfView();
  view.put('networkpolicies', FROM_OPEN);
  expect(accepts(view, '198.51.100.1')).toBe(false);
  view.replace('networkpolicies', []);
  expect(accepts(view, '198.51.100.1')).toBe(true);
  view.replace('pods', []);
  expect(view.self).toBeUndefined();
});

test('Services lead to the ready endpoints of their slices', () => {
  const view = selfView();
  const ports = [
    { name: 'http', port: 80, targetPort: 8080 },
    { name: 'dns', port: 53, protocol: 'UDP' },
  ];
  view.put(
    'services',
    object('services', 'x/web', { spec: { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ports } }),
  );
  const slice = (name: string, fields: object): KubeObject =>
    object('endpointslices', `x/${name}`, {
      metadata: { labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [
        { name: 'http', port: 8080, protocol: 'TCP' },
        { name: 'dns', port: 5353, protocol: 'UDP' },
      ],
      ...fields,
    });
  view.put(
    'endpointslices',
    slice('web-1', {
      endpoints: [
        { addresses: ['10.244.0.7'], conditions: { ready: true } },
        { addresses: ['10.244.0.8'], conditions: { ready: false } },
        { addresses: ['10.244.0.9'] },
        { addresses: ['nonsense'] },
      ],
    }),
  );
  view.put('endpointslices', slice('web-2', { addressType: 'IPv6', endpoints: [{ addresses: ['fd00::7'] }] }));
  const text = view.serviceRules.map(({ protocol, port, endpoints }) => {
    const ends = endpoints.map(({ address, port: number }) => `${address.text}:${number}`);
    return `${port}/${protocol} ${ends.join(' ')}`;
  });
  expect(text).toEqual(['80/TCP 10.244.0.7:8080 10.244.0.9:8080', '53/UDP 10.244.0.7:5353 10.244.0.9:5353']);
  view.remove('services', object('services', 'x/web'));
  expect(view.serviceRules).toEqual([]);
});
