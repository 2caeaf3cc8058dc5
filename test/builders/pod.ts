import type { Container, ContainerPort, Pod, PodPhase } from '../../src/model/pod.ts';
import { ip, portNumber, protocol } from './address.ts';
import { labels } from './selector.ts';

/** A pod in short. Whatever is left out is as in PodNotation's comments. */
export interface PodNotation {
  /** `pod` unless given. */
  readonly name?: string;
  /** `default` unless given. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** One address or one of each family; none unless given, which makes it no endpoint. */
  readonly ip?: string | readonly string[];
  /** Addresses of its node; unknown unless given. */
  readonly node?: string | readonly string[];
  /** `Running` unless given. */
  readonly phase?: PodPhase;
  readonly hostNetwork?: boolean;
  /** Declared ports: `8080`, `53/UDP`, `http=8080`, `dns=53/UDP`. */
  readonly ports?: readonly string[];
  /** Declared ports of a restartable init container. */
  readonly sidecarPorts?: readonly string[];
  /** Declared ports of an init container that ends before the pod starts. */
  readonly initPorts?: readonly string[];
}

/** A running pod of the namespace `default`, but for what is given. */
export function pod(notation: PodNotation): Pod {
  const { name = 'pod', namespace = 'default', ports = [], sidecarPorts = [], initPorts = [] } = notation;
  return {
    namespace,
    name,
    labels: labels(notation.labels ?? {}),
    annotations: new Map(),
    owner: { kind: 'Pod', name },
    phase: notation.phase ?? 'Running',
    addresses: addresses(notation.ip),
    nodeAddresses: addresses(notation.node),
    hostNetwork: notation.hostNetwork ?? false,
    restartPolicy: 'Always',
    hostname: name,
    subdomain: '',
    resolver: { ofCluster: true, nameServers: [], searches: [], options: [] },
    hostAliases: [],
    containers: [
      ...(initPorts.length > 0 ? [container('setup', 'init', initPorts)] : []),
      ...(sidecarPorts.length > 0 ? [container('sidecar', 'sidecar', sidecarPorts)] : []),
      container('main', 'main', ports),
    ],
    source: { file: `${namespace}-${name}.yaml`, line: 1 },
  };
}

/** A declared port: `8080`, `53/UDP`, `http=8080`, `dns=53/UDP`; TCP unless given. */
function containerPort(notation: string): ContainerPort {
  const [, name = '', number = '', protocolName = 'TCP'] = /^(?:([a-z0-9-]+)=)?(\d+)(?:\/(\w+))?$/.exec(notation) ?? [];
  return { name, protocol: protocol(protocolName), port: portNumber(number) };
}

function container(name: string, role: Container['role'], ports: readonly string[]): Container {
  return {
    name,
    role,
    image: 'registry.example/app:1',
    command: [],
    args: [],
    workingDir: '',
    env: [],
    ports: ports.map(containerPort),
    ...{ stdin: false, stdinOnce: false, tty: false },
    readiness: { kind: 'none' },
  };
}

function addresses(notation: string | readonly string[] = []): Pod['addresses'] {
  return (typeof notation === 'string' ? [notation] : notation).map(ip);
}
