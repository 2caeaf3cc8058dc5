import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiFixture, type Ended } from './api-fixture.ts';

let api: ApiFixture;

beforeAll(async () => {
  api = await ApiFixture.start();
});

afterAll(() => api[Symbol.asyncDispose]());

/** Runs a command line; words have no spaces. Fails unless it ends with the exit code. */
async function kubectl(line: string, { input = '', code = 0, env = {} } = {}): Promise<Ended> {
  const ended = await api.kubectl(line.split(' '), input, env);
  expect(ended, `kubectl ${line}: ${ended.err}`).toMatchObject({ code });
  return ended;
}

function policy(name: string, from = 'client'): string {
  return `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name} }
spec:
  podSelector: { matchLabels: { app: web } }
  policyTypes: [Ingress]
  ingress:
    - from: [{ podSelector: { matchLabels: { app: ${from} } } }]
      ports: [{ protocol: TCP, port: 80 }]
`;
}

function deployment(name: string, containers: readonly string[]): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers: [${containers.map((container) => `{ name: ${container}, image: nginx:1 }`).join(', ')}]
`;
}

/** Stores a pod as a controller would. */
function pod(namespace: string, name: string, labels: Readonly<Record<string, string>>): void {
  api.store.system.put({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels },
    spec: { nodeName: 'node', containers: [{ name: 'main', image: 'nginx:1' }] },
    status: {
      phase: 'Running',
      podIP: '10.244.0.7',
      containerStatuses: [{ name: 'main', ready: true, restartCount: 2, state: { running: {} } }],
    },
  });
}

describe('get', () => {
  beforeAll(async () => {
    await kubectl('create namespace get');
    await kubectl('apply -n get -f -', { input: policy('allow-client') });
    pod('get', 'web', { app: 'web', tier: 'front' });
    pod('get', 'db', { app: 'db' });
    pod('get', 'job', { tier: 'batch' });
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
    const watching = kubectl('get netpol -n get -w --request-timeout=2s --no-headers');
    await kubectl('label netpol allow-client -n get seen=yes');
    expect((await watching).out.match(/allow-client/g)?.length).toBeGreaterThanOrEqual(1);
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
    pod('default', 'loud', {});
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

describe('apply', () => {
  it('creates, leaves alone and changes', async () => {
    const first = await kubectl('apply -f -', { input: policy('applied') });
    expect(first.out).toBe('networkpolicy.networking.k8s.io/applied created\n');
    const again = await kubectl('apply -f -', { input: policy('applied') });
    expect(again.out).toBe('networkpolicy.networking.k8s.io/applied unchanged\n');
    const other = await kubectl('apply -f -', { input: policy('applied', 'other') });
    expect(other.out).toBe('networkpolicy.networking.k8s.io/applied configured\n');
    const generation = await kubectl('get netpol applied -o jsonpath={.metadata.generation}');
    expect(generation.out).toBe('2');
  });

  it('shows the difference first', async () => {
    await kubectl('apply -f -', { input: policy('compared') });
    expect((await kubectl('diff -f -', { input: policy('compared') })).out).toBe('');
    const { out } = await kubectl('diff -f -', { input: policy('compared', 'other'), code: 1 });
    expect(out).toMatch(/^-.*app: client$/m);
    expect(out).toMatch(/^\+.*app: other$/m);
    const tried = await kubectl('apply --dry-run=server -f -', { input: policy('compared', 'other') });
    expect(tried.out).toBe('networkpolicy.networking.k8s.io/compared configured (server dry run)\n');
    expect((await kubectl('get netpol compared -o yaml')).out).not.toContain('other');
  });

  it('takes containers away that are no longer written', async () => {
    await kubectl('apply -f -', { input: deployment('merged', ['one', 'two']) });
    await kubectl('apply -f -', { input: deployment('merged', ['two', 'three']) });
    const { out } = await kubectl('get deploy merged -o jsonpath={.spec.template.spec.containers[*].name}');
    expect(out).toBe('two three');
    await kubectl('delete deployment merged');
  });

  it('applies a list of objects and a kustomization', async () => {
    const folder = join(api.folder, 'kustomize');
    await mkdir(folder);
    await api.file('kustomize/policy.yaml', policy('from-kustomize'));
    await api.file(
      'kustomize/kustomization.yaml',
      'namePrefix: my-\nnamespace: kube-system\nresources: [policy.yaml]\n',
    );
    expect((await kubectl(`apply -k ${folder}`)).out).toBe(
      'networkpolicy.networking.k8s.io/my-from-kustomize created\n',
    );
    expect((await kubectl('get netpol -n kube-system -o name')).out).toContain('my-from-kustomize');
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: ['a', 'b'].map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })),
    };
    expect((await kubectl('apply -f -', { input: JSON.stringify(list) })).out).toBe(
      'configmap/a created\nconfigmap/b created\n',
    );
  });

  it('applies on the server side, twice, against another manager, by force', async () => {
    const apply = 'apply --server-side -f -';
    const said = 'networkpolicy.networking.k8s.io/owned serverside-applied\n';
    expect((await kubectl(apply, { input: policy('owned') })).out).toBe(said);
    const version = await kubectl('get netpol owned -o jsonpath={.metadata.resourceVersion}');
    expect((await kubectl(apply, { input: policy('owned') })).out).toBe(said);
    expect((await kubectl('get netpol owned -o jsonpath={.metadata.resourceVersion}')).out).toBe(version.out);
    const other = { input: policy('owned', 'other') };
    const refused = await kubectl(`${apply} --field-manager=second`, { ...other, code: 1 });
    expect(refused.err).toContain(
      'Apply failed with 1 conflict: conflict with "kubectl" using networking.k8s.io/v1: .spec.ingress\n',
    );
    expect((await kubectl(`${apply} --field-manager=second --force-conflicts`, other)).out).toBe(said);
    expect((await kubectl('get netpol owned -o yaml')).out).toContain('app: other');
  });

  it('lets server-side apply take over from apply', async () => {
    await kubectl('apply -f -', { input: policy('migrated') });
    await kubectl('apply --server-side -f -', { input: policy('migrated') });
    await kubectl('apply --server-side -f -', { input: policy('migrated', 'other') });
    const { out } = await kubectl('get netpol migrated --show-managed-fields -o json');
    const managers = (JSON.parse(out) as { metadata: { managedFields: { manager: string }[] } }).metadata.managedFields;
    expect(managers.map(({ manager }) => manager)).not.toContain('kubectl-client-side-apply');
    const kept = await kubectl('apply -f -', { input: policy('migrated', 'third') });
    expect(kept.out).toContain('configured');
  });
});

describe('change', () => {
  beforeAll(() => kubectl('apply -f -', { input: policy('changed') }));

  const shown = async (path: string): Promise<string> =>
    (await kubectl(`get netpol changed -o jsonpath={${path}}`)).out;

  it.each([
    ['label netpol changed team=a', 'labeled', '.metadata.labels', '{"team":"a"}'],
    ['label netpol changed team=b --overwrite', 'labeled', '.metadata.labels', '{"team":"b"}'],
    ['label netpol changed team-', 'unlabeled', '.metadata.labels', ''],
    ['annotate netpol changed note=x', 'annotated', '.metadata.annotations.note', 'x'],
    ['patch netpol changed -p {"spec":{"policyTypes":["Egress"]}}', 'patched', '.spec.policyTypes', '["Egress"]'],
    ['patch netpol changed --type=merge -p {"spec":{"ingress":null}}', 'patched', '.spec.ingress', ''],
    [
      'patch netpol changed --type=json -p [{"op":"add","path":"/spec/policyTypes/0","value":"Ingress"}]',
      'patched',
      '.spec.policyTypes',
      '["Ingress","Egress"]',
    ],
    ['patch netpol changed -p {}', 'patched (no change)', '.spec.policyTypes', '["Ingress","Egress"]'],
  ])('%s', async (line, said, path, value) => {
    expect((await kubectl(line)).out).toBe(`networkpolicy.networking.k8s.io/changed ${said}\n`);
    expect(await shown(path)).toBe(value);
  });

  it('edits in an editor', async () => {
    await kubectl('apply -f -', { input: policy('edited') });
    const edited = await kubectl('edit netpol edited', { env: { EDITOR: 'sed -i s/client/editor/' } });
    expect(edited.out).toBe('networkpolicy.networking.k8s.io/edited edited\n');
    expect((await kubectl('get netpol edited -o yaml')).out).toContain('app: editor');
  });

  it('replaces, and refuses to replace an older version', async () => {
    await kubectl('apply -f -', { input: policy('replaced') });
    const { out } = await kubectl('get netpol replaced -o json');
    expect((await kubectl('replace -f -', { input: out.replaceAll('client', 'new') })).out).toContain('replaced');
    const { err } = await kubectl('replace -f -', { input: out, code: 1 });
    expect(err).toContain(
      'Operation cannot be fulfilled on networkpolicies.networking.k8s.io "replaced": the object has been modified;',
    );
  });

  it('deletes by name and by label, and waits', async () => {
    await kubectl('label netpol edited replaced doomed=yes');
    expect((await kubectl('delete netpol changed')).out).toBe('networkpolicy.networking.k8s.io "changed" deleted\n');
    expect((await kubectl('delete netpol -l doomed')).out.match(/deleted/g)).toHaveLength(2);
    await kubectl('delete netpol changed --ignore-not-found');
    expect((await kubectl('delete netpol changed', { code: 1 })).err).toContain('NotFound');
  });
});

describe('create', () => {
  it.each([
    ['create namespace made', 'namespace/made created\n'],
    ['create deployment web -n made --image=nginx --port=80 --replicas=2', 'deployment.apps/web created\n'],
    ['create configmap settings -n made --from-literal=a=b', 'configmap/settings created\n'],
    ['create service clusterip plain -n made --tcp=80:8080', 'service/plain created\n'],
    ['create job once -n made --image=busybox -- true', 'job.batch/once created\n'],
    ['expose deployment web -n made --port=80 --name=front', 'service/front exposed\n'],
    ['scale deployment web -n made --replicas=5', 'deployment.apps/web scaled\n'],
    ['run single -n made --image=nginx --labels=app=single', 'pod/single created\n'],
    ['set image deployment/web -n made nginx=nginx:2', 'deployment.apps/web image updated\n'],
  ])('%s', async (line, said) => {
    expect((await kubectl(line)).out).toBe(said);
  });

  it('has made what the commands said', async () => {
    const { out } = await kubectl('get deployment,service,configmap,pod,serviceaccount -n made -o wide --no-headers');
    expect(out).toMatch(/deployment.apps\/web +0\/5 +0 +0 +\d+s +nginx +nginx:2 +app=web\n/);
    expect(out).toMatch(/service\/front +ClusterIP +<none> +<none> +80\/TCP +\d+s +app=web\n/);
    expect(out).toMatch(/service\/plain +ClusterIP +<none> +<none> +80\/TCP/);
    expect(out).toMatch(/configmap\/settings +1 +/);
    expect(out).toMatch(/pod\/single +0\/1 +Pending/);
    expect(out).toMatch(/serviceaccount\/default/);
    const service = await kubectl('get service plain -n made -o jsonpath={.spec.ports[0].targetPort}{.spec.selector}');
    expect(service.out).toBe('8080{"app":"plain"}');
    expect((await kubectl('get deploy web -n made -o jsonpath={.spec.template.spec.containers[0].ports}')).out).toBe(
      '[{"containerPort":80,"protocol":"TCP"}]',
    );
  });

  it('describes what it has made', async () => {
    expect((await kubectl('describe deployment web -n made')).out).toMatch(/StrategyType: +RollingUpdate\n/);
    expect((await kubectl('describe service front -n made')).out).toMatch(/TargetPort: +80\/TCP\n/);
    expect((await kubectl('describe ns made')).out).toMatch(/Status: +Active\n/);
  });

  it('waits for a condition that the system sets', async () => {
    const waiting = kubectl('wait -n made --for=condition=Ready pod/single --timeout=20s');
    const reference = { apiVersion: 'v1', kind: 'Pod', namespace: 'made', name: 'single' };
    api.store.system.patchStatus(reference, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] });
    expect((await waiting).out).toBe('pod/single condition met\n');
  });

  it('deletes a namespace with what is in it', async () => {
    expect((await kubectl('delete namespace made')).out).toBe('namespace "made" deleted\n');
    expect((await kubectl('get all -n made')).err).toBe('No resources found in made namespace.\n');
    expect((await kubectl('create configmap late -n made', { code: 1 })).err).toContain('namespaces "made" not found');
  });
});

describe('refusals', () => {
  const IP_RULE = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
  it.each([
    [
      'podSelector: {matchExpressions: [{key: a, operator: In}]}',
      "spec.podSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
    [
      'podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}',
      "spec.podSelector.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
    ],
    [
      'podSelector: {matchExpressions: [{key: a, operator: Like}]}',
      'spec.podSelector.matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator',
    ],
    ['ingress: [{from: [{}]}]', 'spec.ingress[0].from[0]: Required value: must specify a peer'],
    [
      'egress: [{to: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]',
      'spec.egress[0].to[0]: Forbidden: may not specify both ipBlock and another peer',
    ],
    [
      'ingress: [{from: [{ipBlock: {cidr: 10.0.0.0}}]}]',
      `spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.0": ${IP_RULE}`,
    ],
    [
      'ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]',
      'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
    ],
    [
      'ingress: [{ports: [{protocol: ICMP}]}]',
      'spec.ingress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"',
    ],
    [
      'ingress: [{ports: [{port: 0}]}]',
      'spec.ingress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
    ],
    [
      'ingress: [{ports: [{port: "80"}]}]',
      'spec.ingress[0].ports[0].port: Invalid value: "80": must contain at least one letter (a-z)',
    ],
    [
      'ingress: [{ports: [{port: 80, endPort: 79}]}]',
      'spec.ingress[0].ports[0].endPort: Invalid value: 79: must be greater than or equal to `port`',
    ],
    [
      'ingress: [{ports: [{endPort: 79}]}]',
      'spec.ingress[0].ports[0].endPort: Invalid value: 79: may not be specified when `port` is not specified',
    ],
    [
      'ingress: [{ports: [{port: http, endPort: 79}]}]',
      'spec.ingress[0].ports[0].endPort: Invalid value: 79: may not be specified when `port` is non-numeric',
    ],
    ['policyTypes: [Both]', 'spec.policyTypes[0]: Unsupported value: "Both": supported values: "Ingress", "Egress"'],
  ])('%s', async (spec, message) => {
    const input = `---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: bad}, spec: {${spec}}}`;
    const { err } = await kubectl('create -f -', { input, code: 1 });
    expect(err).toBe(`The NetworkPolicy "bad" is invalid: ${message}\n`);
  });

  it('lists several problems of one policy', async () => {
    const input = policy('bad').replace('port: 80', 'port: 0').replace('TCP', 'ICMP');
    const { err } = await kubectl('apply -f -', { input, code: 1 });
    expect(err).toMatch(/^The NetworkPolicy "bad" is invalid: \n\* spec.ingress\[0\].*\n\* spec.ingress\[0\].*\n$/);
  });

  it('refuses unknown fields', async () => {
    const { err } = await kubectl('apply -f -', { input: policy('bad').replace('ingress:', 'ingres:'), code: 1 });
    expect(err).toContain(
      'NetworkPolicy in version "v1" cannot be handled as a NetworkPolicy: strict decoding error: unknown field "spec.ingres"',
    );
  });

  it('drops unknown fields with a warning where asked', async () => {
    const input = policy('lenient').replace('ingress:', 'ingres:');
    const { err } = await kubectl('apply --validate=warn -f -', { input });
    expect(err).toBe('Warning: unknown field "spec.ingres"\n');
  });

  it('warns of an ambiguous CIDR', async () => {
    const input = policy('ambiguous').replace(
      /podSelector: { matchLabels: { app: client } }/,
      'ipBlock: { cidr: 10.0.0.1/24 }',
    );
    const { err, out } = await kubectl('apply -f -', { input });
    expect(out).toContain('created');
    expect(err).toContain('Warning: spec.ingress[0].from[0].ipBlock.cidr: CIDR value "10.0.0.1/24" is ambiguous');
  });

  it('keeps immutable fields', async () => {
    await kubectl('apply -f -', { input: deployment('fixed', ['one']) });
    const { err } = await kubectl('apply -f -', {
      input: deployment('fixed', ['one']).replaceAll('app: fixed', 'app: x'),
      code: 1,
    });
    expect(err).toBe(
      'The Deployment "fixed" is invalid: spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"app":"x"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable\n',
    );
    await kubectl('run fixed --image=nginx');
    const patched = await kubectl('patch pod fixed -p {"spec":{"hostname":"other"}}', { code: 1 });
    expect(patched.err).toContain(
      'The Pod "fixed" is invalid: spec: Forbidden: pod updates may not change fields other than',
    );
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
