import { invariant } from '../../model/invariant.ts';
import type { Container, ContainerPort } from '../../model/pod.ts';
import { parsePort, type Port, type Protocol } from '../../net/port.ts';

/** What runs in a container here: a command of this machine, the lab's own servers, the cluster's name server, an egress gateway, or nothing. */
export type WorkloadKind =
  | { readonly kind: 'command'; readonly command: readonly string[] }
  | { readonly kind: 'servers'; readonly ports: readonly { readonly protocol: Protocol; readonly port: number }[] }
  | { readonly kind: 'dns' }
  | { readonly kind: 'gateway'; readonly port: Port }
  | { readonly kind: 'idle' };

// Where servers listen whose manifests often declare no port. Source: the images' own documentation.
const USUAL_PORTS: Readonly<Record<string, number>> = {
  nginx: 80,
  httpd: 80,
  caddy: 80,
  whoami: 80,
  apache: 80,
  'http-echo': 5678,
  'hello-app': 8080,
  'hello-world': 8080,
  echoserver: 8080,
  'echo-server': 80,
  agnhost: 8080,
  tomcat: 8080,
  redis: 6379,
  postgres: 5432,
  postgresql: 5432,
  mysql: 3306,
  mariadb: 3306,
  mongo: 27017,
  mongodb: 27017,
  memcached: 11211,
  rabbitmq: 5672,
  elasticsearch: 9200,
};

const GATEWAY_PORT = 3128; // Squid's, which proxies are looked for on

/** What to run for a container. `hasProgram` tells whether a program is on this machine. */
export function workloadKind(
  container: Container,
  hasProgram: (program: string, workingDir: string) => boolean,
): WorkloadKind {
  // Without a command the arguments go to the image's own, which for most images is a shell's exec, or nothing.
  if (isEgressGateway(container)) return { kind: 'gateway', port: gatewayPort(container) };
  const words = [...container.command, ...container.args];
  const [program] = words;
  if (program !== undefined && hasProgram(program, container.workingDir)) return { kind: 'command', command: words };
  const image = imageName(container.image);
  if (image === 'coredns') return { kind: 'dns' };
  const ports = serverPorts(container.ports, image);
  return ports.length > 0 ? { kind: 'servers', ports } : { kind: 'idle' };
}

/** Whether it is the egress gateway that comes with netpol-lab, of whatever registry and tag. */
export function isEgressGateway({ image }: Pick<Container, 'image'>): boolean {
  return /(?:^|\/)netpol-lab\/egress-gateway(?:[:@]|$)/.test(image);
}

function gatewayPort({ ports }: Container): Port {
  const port = ports.find(({ protocol }) => protocol === 'TCP')?.port ?? parsePort(GATEWAY_PORT);
  invariant(port, `${GATEWAY_PORT} is a port`);
  return port;
}

/** The last part of an image's name, without registry, tag and digest: `nginx` of `docker.io/library/nginx:1.27`. */
function imageName(image: string): string {
  const path = image.split('@')[0] ?? '';
  const last = path.split('/').at(-1) ?? '';
  return last.split(':')[0] ?? '';
}

function serverPorts(declared: readonly ContainerPort[], image: string): { protocol: Protocol; port: number }[] {
  if (declared.length > 0) {
    // Two names may stand for one port.
    const byPort = new Map(declared.map(({ protocol, port }) => [`${port}/${protocol}`, { protocol, port }]));
    return [...byPort.values()];
  }
  const usual = Object.hasOwn(USUAL_PORTS, image) ? parsePort(USUAL_PORTS[image] ?? 0) : undefined;
  return usual === undefined ? [] : [{ protocol: 'TCP', port: usual }];
}
