import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { lastStory } from '../../src/cli/denial.ts';
import { prove } from '../../src/cli/proof.ts';
import { inNamespace } from '../../src/dataplane/libc.ts';
import type { FlowEvent } from '../../src/flows/flow-event.ts';
import type { PodStatus, ProbeResult } from '../../src/lab/lab-client.ts';
import { isFinished } from '../../src/model/pod.ts';
import { given } from '../builders/given.ts';
import { ContainerTestLab } from './container-lab-fixture.ts';

const run = promisify(execFile);

const server = { name: 'main', image: 'registry.example/agnhost', ports: [{ containerPort: 80 }] };
const pod = (name: string, spec: object): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec,
});
const MANIFESTS = [
  pod('client', { containers: [{ name: 'main', image: 'idle' }] }),
  pod('web', { containers: [{ ...server, readinessProbe: { httpGet: { port: 80, path: '/' } } }] }),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 8080, targetPort: 80 }] },
  },
];
const OUTSIDE = {
  name: 'api.example.com',
  addresses: ['198.51.100.10', '2001:db8:51::10'],
  ports: [{ protocol: 'TCP', port: 443 }],
} as const;

function file(...objects: readonly object[]): { path: string; text: string } {
  return { path: 'test.yaml', text: objects.map((each) => JSON.stringify(each)).join('\n---\n') };
}

function policy(name: string, spec: object): { path: string; text: string } {
  return file({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name }, spec });
}

const DENY_WEB = policy('deny', { podSelector: { matchLabels: { app: 'web' } } });
const ANOTHER_PORT = {
  path: 'another-port.yaml',
  text: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny }
spec:
  podSelector: { matchLabels: { app: web } }
  ingress:
    - ports:
        - port: 8080
`,
};

async function outcome(lab: ContainerTestLab, to: string, port: number, from = 'default/client'): Promise<string> {
  const [result] = await lab.client.probe([{ from, to, protocol: 'TCP', port, timeoutMs: 1000 }]);
  return given(result, 'a result').outcome;
}

function start(carry: 'kernel' | 'relay' = 'kernel'): Promise<ContainerTestLab> {
  return ContainerTestLab.start({ name: 'containers', files: [file(...MANIFESTS)], external: [OUTSIDE] }, carry);
}

/** The first flow that is so, so far or to come. */
async function flow(lab: ContainerTestLab, isIt: (event: FlowEvent) => boolean): Promise<FlowEvent> {
  for await (const event of lab.client.flows({ follow: true })) if (isIt(event)) return event;
  throw new Error('the log has ended');
}

/** The last denial is explained; its change lets the same connection through in a copy, which needs no containers. */
async function explains(lab: ContainerTestLab): Promise<void> {
  const told = await lastStory(lab.client, { pod: 'client', namespace: undefined });
  if (told.kind !== 'story') throw new Error(`no story but ${told.kind}`);
  const { cluster, story } = told;
  const [line] = story.policies[0]?.lines.filter(({ remarks }) => remarks.length > 0) ?? [];
  expect(line?.remarks.join()).toMatch(
    /^ingress\[0\]: rule allows 8080, you connected to 80; 8080 is the port of Service/,
  );
  const { changes } = given(story.remedy, 'a remedy');
  const claim = { cluster, connection: story.connection, changes };
  expect(await prove(lab.client, claim, () => undefined)).toMatchObject({
    proven: true,
    after: { outcome: 'connected' },
  });
}

describe('a lab in containers', () => {
  test.each(['kernel', 'relay'] as const)('carried by the %s: pods, Services, names, hosts outside', async (carry) => {
    await using lab = await start(carry);
    const { pods } = await lab.client.status();
    expect(pods.map(({ name, phase, ready }) => `${name.split('-')[0]} ${phase} ${ready}`)).toEqual([
      'client Running true',
      'web Running true',
      'coredns Running true',
    ]);
    expect(await outcome(lab, 'default/service/web', 8080)).toBe('connected');
    expect(await outcome(lab, OUTSIDE.addresses[0], 443)).toBe('connected');
    expect(await outcome(lab, 'default/web', 80, OUTSIDE.addresses[1])).toBe('connected');
    const { namespace } = given(lab.pods.get('default/client'), 'the client runs');
    const dig = (name: string): Promise<{ stdout: string }> =>
      inNamespace(namespace, () => run('dig', ['@10.96.0.10', '+short', name]));
    const [service] = await lab.client.objects('Service');
    const { clusterIP } = service?.spec as { clusterIP: string };
    expect((await dig('web.default.svc.cluster.local')).stdout.trim()).toBe(clusterIP);
    expect((await dig('api.example.com')).stdout.trim()).toBe(OUTSIDE.addresses[0]);
    await lab.client.apply([DENY_WEB]);
    expect(await outcome(lab, 'default/service/web', 8080)).toBe('timeout');
  });

  test('a change is in force when it is answered, and each connection is one flow with its reasons', async () => {
    await using lab = await start();
    const connection = { from: 'default/client', to: 'default/web', protocol: 'TCP', port: 80 };
    expect(await outcome(lab, 'default/web', 80)).toBe('connected');
    const { issues, warnings } = await lab.client.apply([ANOTHER_PORT]);
    expect({ issues, warnings }).toEqual({ issues: [], warnings: [] });
    expect(await outcome(lab, 'default/web', 80)).toBe('timeout');
    const denied = await flow(lab, ({ verdict, to }) => verdict === 'deny' && to.name === 'default/web');
    expect(denied).toMatchObject({
      from: { name: 'default/client' },
      egress: { verdict: 'allow', isolated: false },
      ingress: { verdict: 'deny', policies: [{ name: 'deny', rule: null, file: 'another-port.yaml', line: 1 }] },
    });
    expect(denied.ingress.nearest).toMatchObject({ name: 'deny', rule: 0, file: 'another-port.yaml', line: 8 });
    expect(denied.ingress.nearest?.differences).toMatchObject([{ kind: 'port', first: 8080, actual: 80 }]);
    await explains(lab);
    expect((await lab.client.explain(connection)).verdict).toBe('deny');
    expect(await lab.client.predict([connection])).toEqual(['deny']);
    await lab.client.delete({ kind: 'NetworkPolicy', namespace: 'default', name: 'deny' });
    expect((await lab.client.stage([DENY_WEB])).issues).toEqual([]);
    expect(await outcome(lab, 'default/web', 80)).toBe('connected');
    const staged = await flow(lab, (event) => event.staged !== undefined);
    expect(staged).toMatchObject({ verdict: 'allow', staged: { verdict: 'deny', ingress: { verdict: 'deny' } } });
    const events: FlowEvent[] = [];
    for await (const event of lab.client.flows({ follow: false })) events.push(event);
    const ports = events.map(({ sourcePort }) => sourcePort);
    expect(ports).toHaveLength(new Set(ports).size);
  });

  test('a pod that no container was made for stays Pending and says why', async () => {
    const agent = pod('agent', { hostNetwork: true, containers: [server] });
    await using lab = await ContainerTestLab.start({ name: 'unstarted', files: [file(agent)] });
    await lab.client.apply([file(pod('late', { containers: [server] }))]);
    const { pods } = await lab.until(({ pods: all }) =>
      all.some(({ name, message }) => name === 'late' && message !== ''),
    );
    const late = pods.find(({ name }) => name === 'late');
    expect(late).toMatchObject({ phase: 'Pending', ready: false, addresses: [] });
    expect(late?.message).toContain('docker compose');
    const onHost = { phase: 'Pending', ready: false, message: expect.stringContaining("host's network") as string };
    expect(pods.find(({ name }) => name === 'agent')).toMatchObject(onHost);
  });
});

test('what becomes of pods whose commands end', async () => {
  const running = (name: string, restartPolicy: string, script: string): object =>
    pod(name, { restartPolicy, containers: [{ name: 'main', image: 'job', command: ['sh', '-c', script] }] });
  const jobs = [
    running('completed', 'OnFailure', 'exit'),
    running('failed', 'Never', 'sleep 0.3; exit 3'),
    running('crashing', 'Always', 'exit 1'),
    running('going-on', 'Never', 'exec sleep infinity'),
  ];
  const egress = [{ to: [{ podSelector: { matchLabels: { app: 'completed' } } }] }];
  const toCompleted = policy('to-completed', {
    podSelector: { matchLabels: { app: 'going-on' } },
    policyTypes: ['Egress'],
    egress,
  });
  await using lab = await ContainerTestLab.start({ name: 'ending', files: [file(...jobs), toCompleted] });
  const { pods } = await lab.until((status) =>
    ['completed', 'failed'].every((name) => status.pods.some((each) => each.name === name && isFinished(each))),
  );
  const statusOf = (all: readonly PodStatus[], name: string) => all.find((each) => each.name === name);
  expect(statusOf(pods, 'completed')).toMatchObject({ phase: 'Succeeded', ready: false, restarts: 0, message: '' });
  expect(statusOf(pods, 'failed')).toMatchObject({ phase: 'Failed', ready: false, restarts: 0, message: '' });
  expect(statusOf(pods, 'going-on')).toMatchObject({ phase: 'Running', ready: true, restarts: 0, message: '' });
  const crashing = { phase: 'Running', ready: false, reason: 'CrashLoopBackOff', containers: { ready: 0, total: 1 } };
  expect(statusOf(pods, 'crashing')).toMatchObject({ ...crashing, message: 'container main ended with exit code 1' });
  expect(statusOf(pods, 'crashing')?.restarts).toBeGreaterThan(0);

  // The address of a finished pod is nobody's, for the table and for the proxy of whoever connects to it.
  const attempt = {
    from: 'default/going-on',
    to: lab.address('default/completed'),
    protocol: 'TCP',
    port: 80,
  } as const;
  expect(await lab.client.predict([attempt])).toEqual(['deny']);
  await lab.client.probe([{ ...attempt, timeoutMs: 300 }]);
  expect(await flow(lab, ({ port }) => port === 80)).toMatchObject({
    verdict: 'deny',
    to: { name: 'default/completed' },
  });

  lab.killProxy('default/completed');
  await lab.client.delete({ kind: 'NetworkPolicy', namespace: 'default', name: 'to-completed' });
  expect(await outcome(lab, 'default/completed', 80, 'default/going-on')).toBe('timeout'); // nothing passes
  expect(statusOf((await lab.client.status()).pods, 'completed')).toMatchObject({ phase: 'Succeeded' });
  await expect.poll(() => existsSync(join(lab.folder, 'ready.completed'))).toBe(true); // its container is healthy
});

/** Tries connections one after the other until it is disposed of, and tells their outcomes. */
class Load implements AsyncDisposable {
  readonly outcomes: ProbeResult['outcome'][] = [];
  readonly #done: Promise<void>;
  #isStopping = false;

  constructor(lab: ContainerTestLab, from: string, to: string) {
    this.#done = this.#run(lab, { from, to, protocol: 'TCP', port: 80, timeoutMs: 200 });
  }

  async #run(
    lab: ContainerTestLab,
    request: Parameters<ContainerTestLab['client']['probe']>[0][number],
  ): Promise<void> {
    while (!this.#isStopping) {
      const results = await lab.client.probe(Array.from({ length: 20 }, () => request)).catch(() => []);
      this.outcomes.push(...results.map((result) => result.outcome));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    await this.#done;
  }
}

describe('whatever dies', () => {
  test('a proxy: what is denied stays denied throughout, what is allowed comes back', async () => {
    await using lab = await start();
    await lab.client.apply([DENY_WEB]);
    const load = new Load(lab, 'default/client', 'default/web');
    for (let kill = 1; kill <= 3; kill++) {
      lab.killProxy('default/web');
      await lab.until(({ pods }) => pods.some(({ name, ready }) => name === 'web' && !ready));
      await lab.until(({ pods }) => pods.every(({ ready }) => ready));
    }
    await load[Symbol.asyncDispose]();
    expect(load.outcomes.length).toBeGreaterThan(20);
    expect(new Set(load.outcomes)).toEqual(new Set(['timeout']));
    await lab.client.delete({ kind: 'NetworkPolicy', namespace: 'default', name: 'deny' });
    expect(await outcome(lab, 'default/web', 80)).toBe('connected');
  });

  test('the control plane: policies stay in force, and a restarted one goes on with all it had', async () => {
    await using lab = await start();
    await lab.client.apply([DENY_WEB]);
    const before = await lab.client.objects('NetworkPolicy');
    await lab.killControlPlane();
    const { namespace, address } = given(lab.pods.get('default/web'), 'the server runs');
    expect(namespace).toBeGreaterThan(0);
    const { namespace: from } = given(lab.pods.get('default/client'), 'the client runs');
    const nc = inNamespace(from, () => run('nc', ['-z', '-w', '1', address[4].text, '80'])).then(
      () => 'connected',
      () => 'denied',
    );
    expect(await nc).toBe('denied');
    await lab.startControlPlane();
    expect(await lab.client.objects('NetworkPolicy')).toEqual(before);
    await lab.client.apply([policy('more', { podSelector: { matchLabels: { app: 'client' } } })]);
    expect(await outcome(lab, 'default/web', 80)).toBe('timeout');
    await lab.client.delete({ kind: 'NetworkPolicy', namespace: 'default', name: 'deny' });
    expect(await outcome(lab, 'default/web', 80)).toBe('connected');
  });
});

test('with relays, the log tells of each connection what was carried', async () => {
  await using lab = await ContainerTestLab.start(
    { name: 'relayed', files: [file(...MANIFESTS)], external: [OUTSIDE] },
    'relay',
  );
  const attempt = { from: 'default/client', to: 'default/web', protocol: 'TCP', port: 80 } as const;
  expect(await lab.client.probe([{ ...attempt, timeoutMs: 10_000 }])).toMatchObject([{ outcome: 'connected' }]);
  const end = await flow(lab, ({ to, carried }) => carried !== undefined && to.name === 'default/web');
  expect(end).toMatchObject({ from: { name: 'default/client' }, protocol: 'TCP', port: 80, verdict: 'allow' });
  expect(await lab.client.apply([DENY_WEB])).toBeDefined();
  expect(await outcome(lab, 'default/web', 80)).toBe('timeout');
});
