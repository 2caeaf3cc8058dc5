import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiFixture } from './api-fixture.ts';
import { kubectlOf, policy, runningPod } from './kubectl-session.ts';

let api: ApiFixture;
const kubectl = kubectlOf(() => api);

beforeAll(async () => {
  api = await ApiFixture.start();
});

afterAll(() => api[Symbol.asyncDispose]());

describe('get', () => {
  beforeAll(async () => {
    await kubectl('create namespace get');
    await kubectl('apply -n get -f -', { input: policy('allow-client') });
    api.store.system.put(runningPod('get', 'web', { app: 'web', tier: 'front' }));
    api.store.system.put(runningPod('get', 'db', { app: 'db' }));
    api.store.system.put(runningPod('get', 'job', { tier: 'batch' }));
  });

  it('lists policies by their long and their short name', async () => {
    const long = await kubectl('get networkpolicies -n get');
    expect(long.out).toMatch(/^NAME +POD-SELECTOR +AGE\nallow-client +app=web +\d+s\n$/);
    expect((await kubectl('get netpol -n get --no-headers')).out).toMatch(/^allow-client +app=web +\d+s\n$/);
    expect((await kubectl('get netpol -A')).out).toMatch(/^NAMESPACE +NAME .*\nget +allow-client/);
    expect((await kubectl('get netpol')).err).toBe('No resources found in default namespace.\n');
  });

  it('shows policies as YAML, JSON, JSONPath and custom columns', async () => {
    expect((await kubectl('get netpol allow-client -n get -o yaml')).out).toContain(
      '    - port: 80\n      protocol: TCP\n',
    );
    const { out } = await kubectl('get netpol -n get -o json');
    expect(JSON.parse(out)).toMatchObject({
      kind: 'List',
      items: [{ kind: 'NetworkPolicy', metadata: { generation: 1 } }],
    });
    expect((await kubectl('get netpol allow-client -n get -o jsonpath={.spec.policyTypes}')).out).toBe('["Ingress"]');
    const columns = await kubectl('get netpol -A -o custom-columns=N:.metadata.name,T:.spec.policyTypes[0]');
    expect(columns.out).toMatch(/N +T\nallow-client +Ingress\n/);
  });

  it('shows pods in the columns of a cluster', async () => {
    const { out } = await kubectl('get pods -n get -o wide');
    expect(out).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n/);
    expect(out).toMatch(/\ndb +1\/1 +Running +2 +\d+s +10.244.0.7 +node +<none> +<none>\n/);
  });

  it.each([
    ['app=web', 'web'],
    ['app==web', 'web'],
    ['app!=web', 'db job'],
    ['app in (web,db)', 'db web'],
    ['app notin (web)', 'db job'],
    ['tier', 'job web'],
    ['!tier', 'db'],
    ['app,tier', 'web'],
    ['app=web,tier notin (front)', ''],
  ])('selects pods by -l %s', async (selector, names) => {
    const args = ['get', 'pods', '-n', 'get', '-l', selector, '-o', 'name'];
    const { out, code } = await api.kubectl(args);
    expect({ code, names: out.replaceAll('pod/', '').trim().split('\n').join(' ') }).toEqual({ code: 0, names });
  });

  it('selects by fields', async () => {
    expect((await kubectl('get pods -A --field-selector=metadata.name=db -o name')).out).toBe('pod/db\n');
    expect((await kubectl('get pods -A --field-selector=status.phase!=Running -o name')).out).toBe('');
  });

  it('says what is not there', async () => {
    const { err } = await kubectl('get netpol nothing', { code: 1 });
    expect(err).toBe('Error from server (NotFound): networkpolicies.networking.k8s.io "nothing" not found\n');
  });

  it('watches', async () => {
    await using watching = api.startKubectl([
      'get',
      'netpol',
      '-n',
      'get',
      '-w',
      '-o',
      'jsonpath={.metadata.labels}\n',
    ]);
    await watching.printed(/\n/);
    await kubectl('label netpol allow-client -n get seen=yes');
    await watching.printed(/{"seen":"yes"}\n/);
  });
});

describe('describe', () => {
  it('reads a policy as on a cluster', async () => {
    await kubectl('apply -f -', { input: policy('described') });
    const { out } = await kubectl('describe netpol described -n default');
    expect(out.replace(/Created on: .*/, 'Created on:   T')).toBe(`Name:         described
Namespace:    default
Created on:   T
Labels:       <none>
Annotations:  <none>
Spec:
  PodSelector:     app=web
  Allowing ingress traffic:
    To Port: 80/TCP
    From:
      PodSelector: app=client
  Not affecting egress traffic
  Policy Types: Ingress
`);
    await kubectl('delete netpol described');
  });

  it('shows a pod with its events', async () => {
    api.store.system.put(runningPod('default', 'loud'));
    api.store.system.put({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace: 'default', name: 'loud.1' },
      involvedObject: { kind: 'Pod', namespace: 'default', name: 'loud', uid: 'x' },
      type: 'Warning',
      reason: 'PolicyDenied',
      message: 'dropped TCP 80',
      lastTimestamp: new Date().toISOString(),
    });
    expect((await kubectl('describe pod loud')).out).toMatch(/Status: +Running\n/);
    expect((await kubectl('get events')).out).toMatch(/s +Warning +PolicyDenied +pod\/loud +dropped TCP 80\n/);
    api.store.system.remove({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'loud' });
  });
});

describe('the server', () => {
  it('explains fields', async () => {
    const { out } = await kubectl('explain networkpolicy.spec.ingress.from.namespaceSelector');
    expect(out).toContain('FIELD: namespaceSelector <LabelSelector>');
    expect(out).toContain('Selects namespaces by their labels');
  });

  it('lists what it serves', async () => {
    const { out } = await kubectl('api-resources --namespaced=true');
    expect(out).toMatch(/\nnetworkpolicies +netpol +networking.k8s.io\/v1 +true +NetworkPolicy\n/);
    expect((await kubectl('api-versions')).out).toContain('networking.k8s.io/v1\n');
  });

  it('says who may do what', async () => {
    expect((await kubectl('auth can-i create networkpolicies')).out).toBe('yes\n');
    expect((await kubectl('auth can-i --list')).out).toContain('*.*');
    expect((await kubectl('auth whoami')).out).toMatch(/Username +netpol-lab\n/);
  });

  it('knows nobody without the token', async () => {
    const { err } = await api.kubectl(['--token=wrong', 'get', 'pods']);
    expect(err).toContain('You must be logged in to the server');
  });
});
