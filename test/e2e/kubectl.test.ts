import { describe, expect, it } from 'vitest';
import { eventually, pod, policy, service, serving, useLab, yaml, type CliLab } from './cli-fixture.ts';
import { kubectl } from './kubectl-fixture.ts';

const DENY = policy('deny', 'web', { policyTypes: ['Ingress'] });
const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'scaled' },
  spec: {
    selector: { matchLabels: { app: 'scaled' } },
    template: { metadata: { labels: { app: 'scaled' } }, spec: { containers: [serving('80/TCP')] } },
  },
};
const MANIFESTS = [
  pod('client'),
  pod('web', { containers: [serving('80/TCP')] }),
  service('web', { ports: [{ port: 80 }] }),
  DEPLOYMENT,
];

async function outcome(lab: CliLab, to: string): Promise<string | undefined> {
  const request = { from: 'default/client', to, protocol: 'TCP', port: 80, timeoutMs: 1000 } as const;
  const [result] = await lab.client.probe([request]);
  return result?.outcome;
}

async function podNames(lab: CliLab, selector: string): Promise<string[]> {
  const text = await kubectl(lab, `get pods -l ${selector} -o jsonpath={.items[*].metadata.name}`);
  return text.split(' ').filter((name) => name !== '');
}

describe.each([
  { user: 'this user', ordinary: false },
  { user: 'an ordinary user', ordinary: true },
])('kubectl on a lab of $user', ({ ordinary }) => {
  const lab = useLab({ manifests: MANIFESTS, ordinary });

  it('puts a policy in force before it returns, and out of force', async () => {
    expect(await outcome(lab, 'default/web')).toBe('connected');
    expect(await kubectl(lab, 'apply -f -', { input: yaml([DENY]) })).toContain(
      'networkpolicy.networking.k8s.io/deny created',
    );
    expect(await outcome(lab, 'default/web')).toBe('timeout');
    expect(await kubectl(lab, 'apply -f -', { input: yaml([DENY]) })).toContain('unchanged');
    expect(await kubectl(lab, 'get netpol -A')).toMatch(/default +deny +app=web/);
    expect(await kubectl(lab, 'describe netpol deny -n default')).toContain('Policy Types: Ingress');
    expect((await lab.run('get', ['netpol'])).stdout).toContain('deny');
    await kubectl(lab, 'label pod web app=other --overwrite');
    expect(await outcome(lab, 'default/web')).toBe('connected');
    await kubectl(lab, 'label pod web app=web --overwrite');
    expect(await outcome(lab, 'default/web')).toBe('timeout');
    await kubectl(lab, 'delete netpol deny');
    expect(await outcome(lab, 'default/web')).toBe('connected');
  });

  it('scales a deployment, whose pods stay the same', async () => {
    const first = await podNames(lab, 'app=scaled');
    await kubectl(lab, 'scale deploy scaled --replicas 3');
    const three = await podNames(lab, 'app=scaled');
    expect(three).toHaveLength(3);
    expect(three).toEqual(expect.arrayContaining(first));
    await kubectl(lab, 'rollout status deploy scaled --timeout=10s');
    for (const name of three) expect(await outcome(lab, `default/${name}`)).toBe('connected');
    await kubectl(lab, 'scale deploy scaled --replicas 1');
    expect(await podNames(lab, 'app=scaled')).toEqual(first);
    await kubectl(lab, 'wait --for=condition=Available deployment/scaled --timeout=10s');
    expect(await kubectl(lab, 'get rs')).toMatch(/^scaled-[a-z0-9]+ +1 +1 +1 /m);
    expect(await kubectl(lab, 'get deploy scaled')).toMatch(/^scaled +1\/1 +1 +1 /m);
  });

  it('restarts a deployment, and goes back', async () => {
    const [first = ''] = await podNames(lab, 'app=scaled');
    await kubectl(lab, 'rollout restart deployment/scaled');
    await kubectl(lab, 'rollout status deployment/scaled --timeout=20s');
    const [second = ''] = await podNames(lab, 'app=scaled');
    expect(second).not.toBe(first);
    expect(await outcome(lab, `default/${second}`)).toBe('connected');
    expect(await kubectl(lab, 'rollout history deployment/scaled')).toMatch(/^2 /m);
    await kubectl(lab, 'rollout undo deployment/scaled');
    await kubectl(lab, 'rollout status deployment/scaled --timeout=20s');
    const [third = ''] = await podNames(lab, 'app=scaled');
    expect(third.split('-').slice(0, 2)).toEqual(first.split('-').slice(0, 2));
  });

  it('lets go a pod of a deployment that gets another label, and replaces it', async () => {
    const [first = ''] = await podNames(lab, 'app=scaled');
    await kubectl(lab, `label pod ${first} app=quarantine --overwrite`);
    const [second = ''] = await podNames(lab, 'app=scaled');
    for (const name of [first, second]) expect(await outcome(lab, `default/${name}`)).toBe('connected');
    await kubectl(lab, 'delete deployment scaled');
    expect([...(await podNames(lab, 'app=scaled')), ...(await podNames(lab, 'app=quarantine'))]).toEqual([first]);
  });

  it('refuses a bad policy and changes nothing', async () => {
    const bad = policy('bad', 'web', { policyTypes: ['Sideways'] });
    const text = await kubectl(lab, 'apply -f -', { input: yaml([bad]), code: 1 });
    expect(text).toContain('spec.policyTypes[0]: Unsupported value: "Sideways"');
    expect((await lab.run('get', ['netpol'])).stdout).not.toContain('bad');
  });

  it('starts and ends pods, and namespaces with what is in them', async () => {
    await kubectl(lab, 'create namespace shop');
    await kubectl(lab, 'run -n shop own --image=nginx');
    await kubectl(lab, 'wait -n shop --for=condition=Ready pod/own --timeout=10s');
    expect(await outcome(lab, 'shop/own')).toBe('connected');
    await kubectl(lab, 'delete namespace shop');
    expect((await lab.status()).pods.map(({ namespace }) => namespace)).not.toContain('shop');
  });

  it('shows a denied connection as an Event of both pods', async () => {
    await kubectl(lab, 'apply -f -', { input: yaml([DENY]) });
    expect(await outcome(lab, 'default/web')).toBe('timeout');
    await eventually(async () => {
      const text = await kubectl(lab, 'get events --field-selector reason=PolicyDenied');
      return text.includes('pod/web') && text.includes('pod/client') ? text : undefined;
    }, 'the denial was told');
    const message = /dropped TCP 80 from default\/client: default\/deny isolates ingress, no rule matches/;
    expect(await kubectl(lab, 'describe pod web')).toMatch(message);
    expect(await kubectl(lab, 'describe pod client')).toContain('Successfully assigned default/client to node');
    await kubectl(lab, 'delete netpol deny');
  });

  it('shows what netpol-lab applies', async () => {
    await lab.apply(policy('own', 'client', { policyTypes: ['Ingress'] }));
    expect(await kubectl(lab, 'get networkpolicies')).toContain('own');
    await lab.run('delete', ['netpol', 'own']);
    expect(await kubectl(lab, 'get networkpolicies')).not.toContain('own');
  });
});
