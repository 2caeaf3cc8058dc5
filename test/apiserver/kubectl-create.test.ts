import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiFixture } from './api-fixture.ts';
import { deployment, kubectlOf, policy } from './kubectl-session.ts';

let api: ApiFixture;
const kubectl = kubectlOf(() => api);

beforeAll(async () => {
  api = await ApiFixture.start();
});

afterAll(() => api[Symbol.asyncDispose]());

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
