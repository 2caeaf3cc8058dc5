import { parseIp, type IpAddress } from '../net/ip.ts';
import { parsePort, parseProtocol } from '../net/port.ts';
import type { Container, Pod, PodPhase, Probe, Resolver } from '../model/pod.ts';
import { expanded } from './expansion.ts';
import type { PodPlan } from './pod-plan.ts';
import type { ContainerManifest, PodSpec, ProbeManifest } from './pod-schema.ts';

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'] as const;
const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed'] as const;

/** The phase of the pod's status. A pod without one runs; one of an unknown phase does too, as its policies must hold. */
export function phaseOf({ status }: PodPlan): PodPhase {
  return PHASES.find((phase) => phase === status.phase) ?? 'Running';
}

/** The addresses that the pod's status gives it: one of each family at most. */
export function givenAddresses({ status: { podIP = '', podIPs = [] } }: PodPlan): IpAddress[] {
  return addressesOf([...podIPs.map(({ ip = '' }) => ip), podIP]);
}

/** The addresses of the pod's node, as far as its status tells. */
export function nodeAddresses({ spec, status }: PodPlan): IpAddress[] {
  const { hostIP = '', hostIPs = [], podIP = '', podIPs = [] } = status;
  // On the host's network the pod's addresses are the node's.
  const own = spec.hostNetwork === true ? [...podIPs.map(({ ip = '' }) => ip), podIP] : [];
  return addressesOf([...hostIPs.map(({ ip = '' }) => ip), hostIP, ...own]);
}

/** The pod, with these addresses. */
export function buildPod(plan: PodPlan, addresses: readonly IpAddress[]): Pod {
  const { spec } = plan;
  return {
    namespace: plan.namespace,
    name: plan.name,
    labels: new Map(Object.entries(plan.labels)),
    annotations: new Map(Object.entries(plan.annotations)),
    owner: plan.owner,
    phase: phaseOf(plan),
    addresses,
    nodeAddresses: nodeAddresses(plan),
    hostNetwork: spec.hostNetwork ?? false,
    restartPolicy: RESTART_POLICIES.find((policy) => policy === spec.restartPolicy) ?? 'Always',
    hostname: hostNameOf(plan),
    subdomain: plan.subdomain,
    resolver: buildResolver(spec),
    hostAliases: (spec.hostAliases ?? []).map(({ ip = '', hostnames = [] }) => ({ ip, hostnames })),
    containers: [
      ...(spec.initContainers ?? []).map((container) =>
        buildContainer(container, container.restartPolicy === 'Always' ? 'sidecar' : 'init', { plan, addresses }),
      ),
      ...(spec.containers ?? []).map((container) => buildContainer(container, 'main', { plan, addresses })),
    ],
    source: plan.source,
  };
}

function buildResolver({ dnsPolicy, dnsConfig = {} }: PodSpec): Resolver {
  const { nameservers = [], searches = [], options = [] } = dnsConfig;
  return {
    ofCluster: dnsPolicy !== 'None',
    nameServers: nameservers,
    searches,
    options: options.map(({ name = '', value = '' }) => ({ name, value })),
  };
}

interface PodFacts {
  readonly plan: PodPlan;
  readonly addresses: readonly IpAddress[];
}

function buildContainer(container: ContainerManifest, role: Container['role'], facts: PodFacts): Container {
  const { name = '', image = '', command = [], args = [], env = [], ports = [], readinessProbe = {} } = container;
  const { workingDir = '', stdin = false, stdinOnce = false, tty = false } = container;
  const variables = buildEnvironment(env, facts);
  const values = new Map(variables.map((variable) => [variable.name, variable.value]));
  return {
    name,
    role,
    image,
    command: command.map((word) => expanded(word, values)),
    args: args.map((word) => expanded(word, values)),
    workingDir,
    env: variables,
    ports: ports.flatMap((port) => {
      const number = parsePort(port.containerPort ?? 0);
      const protocol = parseProtocol(port.protocol || 'TCP');
      return number && protocol ? [{ name: port.name ?? '', protocol, port: number }] : [];
    }),
    ...{ stdin, stdinOnce, tty },
    readiness: buildProbe(readinessProbe, env),
  };
}

type EnvironmentManifest = NonNullable<ContainerManifest['env']>;

function buildEnvironment(env: EnvironmentManifest, facts: PodFacts): Container['env'] {
  const before = new Map<string, string>();
  return env.flatMap(({ name = '', value: written = '', valueFrom }) => {
    const value = valueFrom ? fieldValue(valueFrom.fieldRef?.fieldPath, facts) : expanded(written, before);
    if (value === undefined) return [];
    before.set(name, value);
    return [{ name, value }];
  });
}

/** The value of a field reference; undefined for what only a cluster would know. */
function fieldValue(fieldPath: string | undefined, { plan, addresses }: PodFacts): string | undefined {
  switch (fieldPath) {
    case 'metadata.name':
      return plan.name;
    case 'metadata.namespace':
      return plan.namespace;
    case 'status.podIP':
      return addresses[0]?.text;
    case 'status.podIPs':
      return addresses.length > 0 ? addresses.map(({ text }) => text).join(',') : undefined;
    default:
      return undefined;
  }
}

function buildProbe({ exec, httpGet, tcpSocket }: ProbeManifest, env: EnvironmentManifest): Probe {
  if (exec) {
    // A kubelet knows no more here than what is written. Source: ExpandContainerCommandOnlyStatic, kubernetes.
    const values = new Map(env.map(({ name = '', value = '' }) => [name, value]));
    return { kind: 'exec', command: (exec.command ?? []).map((word) => expanded(word, values)) };
  }
  const port = httpGet?.port ?? tcpSocket?.port;
  const target = typeof port === 'number' ? parsePort(port) : port;
  if (target === undefined) return { kind: 'none' };
  return httpGet ? { kind: 'http', port: target, path: httpGet.path || '/' } : { kind: 'tcp', port: target };
}

/** The first address of each family. */
function addressesOf(texts: readonly string[]): IpAddress[] {
  const all = texts.flatMap((text) => parseIp(text) ?? []);
  return all.filter((address, index) => all.findIndex(({ family }) => family === address.family) === index);
}

const HOST_NAME_LENGTH = 63;

/** Cut as a kubelet does. Source: kubelet, truncatePodHostnameIfNeeded. */
function hostNameOf({ hostname, name }: PodPlan): string {
  const whole = hostname || name;
  return whole.length <= HOST_NAME_LENGTH ? whole : whole.slice(0, HOST_NAME_LENGTH).replace(/[-.]+$/, '');
}
