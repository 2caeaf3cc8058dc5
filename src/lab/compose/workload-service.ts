import { podKey, type Container, type Pod } from '../../model/pod.ts';
import { workloadKind } from '../netns/workload-kind.ts';
import { healthyWith } from './healthcheck.ts';
import { LABELS } from './labels.ts';
import { containerService, proxyService } from './service-names.ts';

/** Whether containers are of netpol-lab's image, which stands in for the manifests' own, or of these. */
export type Images = 'lab' | 'real';

/** A service of a compose file, as Compose reads it. Source: the Compose specification. */
export type ComposeService = Readonly<Record<string, unknown>>;

/** What stands in every service of a kind, by the anchor that it has in the file. */
export type Template = 'stand-in' | 'proxy' | 'outside' | 'lab-process';

/** A service, the template it is made from, and what a reader is told about it. */
export interface PlannedService {
  readonly name: string;
  readonly template: Template | undefined;
  readonly comment: string;
  readonly service: ComposeService;
}

// A container whose command the image lacks is stood in for, as it is where pods are network namespaces.
const COMMAND_OR = (instead: string): string => `command -v "$$1" >/dev/null && exec "$$@"; exec ${instead}`;

/** The service of a container: its command, or what stands in for it, in the network of the pod's proxy. */
export function workloadService(pod: Pod, container: Container, images: Images): PlannedService {
  const { kind } = workloadKind(container, () => false);
  const real = isReal(container, images);
  return {
    name: containerService(pod, container),
    template: real ? undefined : 'stand-in',
    comment: '',
    service: {
      ...(real ? realProcess(container) : standIn(pod, container)),
      ...environmentOf(container),
      ...(container.workingDir === '' ? {} : { working_dir: escaped(container.workingDir) }),
      network_mode: `service:${proxyService(pod)}`,
      depends_on: dependencies(pod, container),
      ...(kind === 'dns' ? DNS_ACCESS : {}),
      ...(kind === 'gateway' ? GATEWAY_ACCESS : {}),
      restart: restartOf(pod, container),
      labels: { [LABELS.pod]: podKey(pod), [LABELS.container]: container.name },
    },
  };
}

function isReal(container: Container, images: Images): boolean {
  const { kind } = workloadKind(container, () => false);
  return images === 'real' && kind !== 'dns' && kind !== 'gateway'; // which no registry has
}

/** Whether workload.sh runs its command. An init container has to exit; an image of its own may have no shell. */
export function isShown(container: Container, images: Images): boolean {
  return container.role !== 'init' && wordsOf(container).length > 0 && !isReal(container, images);
}

function wordsOf({ command, args }: Container): string[] {
  return [...command, ...args];
}

/**
 * What the cluster's name server reads: pods and Services from the API, and the lab's hosts. Nothing waits for it but
 * `docker compose up --wait`: it is healthy once the whole lab is ready.
 */
const DNS_ACCESS = {
  healthcheck: healthyWith('-f', '/run/netpol-lab/ready'),
  volumes: ['run:/run/netpol-lab:ro'],
  configs: [{ source: 'external', target: '/etc/netpol-lab/external.json' }],
};

/** An egress gateway asks the control plane for whom it may dial. */
const GATEWAY_ACCESS = { volumes: ['run:/run/netpol-lab:ro'] };

function realProcess({ image, command, args }: Container): ComposeService {
  return {
    image: escaped(image),
    // Raw sockets would pass by the gate. What else Docker gives by default, images may count on.
    cap_drop: ['NET_RAW'],
    ...(command.length > 0 ? { entrypoint: command.map(escaped) } : {}),
    ...(args.length > 0 ? { command: args.map(escaped) } : {}),
  };
}

function standIn(pod: Pod, container: Container): ComposeService {
  const instead = insteadOf(pod, container);
  const words = wordsOf(container).map(escaped);
  if (words.length === 0) return { entrypoint: instead };
  const command = ['sh', '-c', COMMAND_OR(instead), 'sh', ...words];
  if (!isShown(container, 'lab')) return { entrypoint: command };
  return { entrypoint: ['workload', container.name, restartOf(pod, container), ...command] };
}

function insteadOf(pod: Pod, container: Container): string {
  const kind = workloadKind(container, () => false);
  switch (kind.kind) {
    case 'servers':
      return `netpol-lab container server --pod ${podKey(pod)} --ports ${portsText(kind.ports)}`;
    case 'dns':
      return 'netpol-lab container dns --run /run/netpol-lab --external /etc/netpol-lab/external.json';
    case 'gateway':
      return `netpol-lab container egress-gateway --pod ${podKey(pod)} --port ${kind.port} --run /run/netpol-lab`;
    case 'command':
    case 'idle':
      return 'sleep infinity';
  }
}

function environmentOf({ env }: Container): ComposeService {
  if (env.length === 0) return {};
  return { environment: Object.fromEntries(env.map(({ name, value }) => [name, escaped(value)])) };
}

/** The proxy first, then init containers one by one, then the others, as a kubelet starts them. */
function dependencies(pod: Pod, container: Container): ComposeService {
  const order = pod.containers.filter(({ role }) => role !== 'main');
  const before = container.role === 'main' ? order : order.slice(0, order.indexOf(container));
  const last = before.at(-1);
  return {
    [proxyService(pod)]: { condition: 'service_healthy', restart: true }, // a proxy that starts anew has another network
    ...(last === undefined
      ? {}
      : {
          [containerService(pod, last)]: {
            condition: last.role === 'init' ? 'service_completed_successfully' : 'service_started',
          },
        }),
  };
}

function restartOf(pod: Pod, { role }: Container): string {
  if (role === 'sidecar') return 'always';
  switch (pod.restartPolicy) {
    case 'Always':
      return role === 'init' ? 'on-failure' : 'always';
    case 'OnFailure':
      return 'on-failure';
    case 'Never':
      return 'no';
  }
}

/** Ports as netpol-lab's processes take them: `80/TCP,53/UDP`. */
export function portsText(ports: readonly { readonly protocol: string; readonly port: number }[]): string {
  return ports.map(({ protocol, port }) => `${port}/${protocol}`).join(',');
}

/** Text that Compose is not to take for the name of a variable. */
export function escaped(text: string): string {
  return text.replaceAll('$', '$$$$');
}
