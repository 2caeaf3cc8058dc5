import { expect, test } from 'vitest';
import { DEFAULT_OPTIONS, type ProbeRequest } from '../../src/lab/lab-client.ts';
import { policy } from './policy-case.ts';
import type { Backend, BackendLab } from './suite.ts';

const SERVES_80 = { name: 'server', image: 'registry.example/agnhost', ports: [{ containerPort: 80 }] };
const ADDRESS = '10.244.50.5';

/** Tries what has to do with the life of pods and namespaces, each in a lab of its own. */
export function runLifecycle(name: string, backend: Backend): void {
  const start = (key: string, objects: readonly (object | string)[]): Promise<BackendLab> =>
    backend({
      name: `${name}-${key}`,
      files: [{ path: 'conformance.yaml', text: objects.map(textOf).join('\n---\n') }],
      external: [],
      options: DEFAULT_OPTIONS,
    });

  test('19 readiness probes come from the node and pass default deny', async () => {
    const probed = (name: string, readinessProbe: object): object =>
      pod(`x/${name}`, { containers: [{ ...SERVES_80, readinessProbe }] });
    await using lab = await start('node', [
      policy('x/deny', '{ podSelector: {}, policyTypes: [Ingress, Egress] }'),
      probed('tcp', { tcpSocket: { port: 80 } }),
      probed('http', { httpGet: { port: 80, path: '/' } }),
    ]);
    expect(await readyPods(lab)).toEqual(['http', 'tcp']);
    // Nobody listens on 81: readiness is not just said.
    const more = [probed('never', { tcpSocket: { port: 81 } }), probed('late', { tcpSocket: { port: 80 } })];
    await lab.client.apply([{ path: 'more.yaml', text: more.map(textOf).join('\n---\n') }]);
    while (!(await readyPods(lab)).includes('late'));
    expect(await readyPods(lab)).toEqual(['http', 'late', 'tcp']);
  });

  test('23 the address of a finished pod belongs to the next pod that has it', async () => {
    await using lab = await start('finished', [
      pod('x/server', { containers: [SERVES_80] }),
      pod('x/done', { restartPolicy: 'Never', containers: [{ ...SERVES_80, command: ['true'] }] }, ADDRESS),
      policy(
        'x/friends',
        '{ podSelector: { matchLabels: { app: server } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: done } } }] }] }',
      ),
    ]);
    await phaseOf(lab, 'done', 'Succeeded');
    const next = textOf(pod('x/next', { containers: [SERVES_80] }, ADDRESS));
    expect((await lab.client.apply([{ path: 'next.yaml', text: next }])).issues).toEqual([]);
    expect(await outcome(lab, { from: ADDRESS, to: 'x/server' })).toBe('timeout');
    await lab.client.label({ kind: 'pod', namespace: 'x', name: 'next', labels: { app: 'done' }, overwrite: true });
    expect(await outcome(lab, { from: ADDRESS, to: 'x/server' })).toBe('connected');
  });

  test('7 and 25 a namespace that is deleted takes its policies along', async () => {
    const objects = [pod('x/server', { containers: [SERVES_80] }), pod('y/client', { containers: [SERVES_80] })];
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } };
    await using lab = await start('namespace', [namespace, ...objects, policy('x/deny', '{ podSelector: {} }')]);
    expect(await outcome(lab, { from: 'y/client', to: 'x/server' })).toBe('timeout');
    await lab.client.delete({ kind: 'Namespace', namespace: '', name: 'x' });
    expect((await lab.client.status()).policies).toBe(0);
    await lab.client.apply([{ path: 'again.yaml', text: objects.map(textOf).join('\n---\n') }]);
    expect(await outcome(lab, { from: 'y/client', to: 'x/server' })).toBe('connected');
  });
}

/** A pod with the label `app: NAME`. `key` is NAMESPACE/NAME. */
function pod(key: string, spec: object, podIP?: string): object {
  const [namespace = '', name = ''] = key.split('/');
  const status = podIP === undefined ? {} : { podIP };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, labels: { app: name } }, spec, status };
}

function textOf(object: object | string): string {
  return typeof object === 'string' ? object : JSON.stringify(object);
}

async function readyPods(lab: BackendLab): Promise<string[]> {
  const { pods } = await lab.client.status();
  return pods
    .filter(({ namespace, ready }) => namespace === 'x' && ready)
    .map(({ name }) => name)
    .sort();
}

async function phaseOf(lab: BackendLab, pod: string, phase: string): Promise<void> {
  for (;;) {
    const { pods } = await lab.client.status();
    if (pods.some((each) => each.name === pod && each.phase === phase)) return;
  }
}

async function outcome(lab: BackendLab, ends: Pick<ProbeRequest, 'from' | 'to'>): Promise<string | undefined> {
  const [result] = await lab.client.probe([{ ...ends, protocol: 'TCP', port: 80, timeoutMs: 1000 }]);
  return result?.outcome;
}
