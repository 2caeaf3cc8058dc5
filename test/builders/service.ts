import type { Service, ServicePort } from '../../src/model/service.ts';
import { ip, portNumber, protocol } from './address.ts';
import { selector, type SelectorNotation } from './selector.ts';

/** A Service in short. */
export interface ServiceNotation {
  /** `service` unless given. */
  readonly name?: string;
  /** `default` unless given. */
  readonly namespace?: string;
  /** Cluster addresses; headless unless given. */
  readonly ip?: string | readonly string[];
  /** No selector unless given. */
  readonly pods?: SelectorNotation;
  /** `80`, `80:8080`, `80:http`, `53:dns/UDP`; TCP and the same number unless given. */
  readonly ports?: readonly string[];
}

/** A Service of the namespace `default`, but for what is given. */
export function service(notation: ServiceNotation): Service {
  const { name = 'service', namespace = 'default', ip: addresses, pods, ports = [] } = notation;
  return {
    namespace,
    name,
    kind:
      addresses === undefined
        ? { kind: 'headless' }
        : { kind: 'clusterIP', addresses: (typeof addresses === 'string' ? [addresses] : addresses).map(ip) },
    selector: pods ? { kind: 'pods', selector: selector(pods) } : { kind: 'none' },
    ports: ports.map(servicePort),
    publishNotReadyAddresses: false,
    source: { file: `${namespace}-${name}.yaml`, line: 1 },
  };
}

/** A port of a Service: `80`, `80:8080`, `80:http`, `53:dns/UDP`. */
export function servicePort(notation: string): ServicePort {
  const [numbers = '', protocolName = 'TCP'] = notation.split('/');
  const [port = '', target = port] = numbers.split(':');
  return {
    name: '',
    protocol: protocol(protocolName),
    port: portNumber(port),
    target: /^\d+$/.test(target) ? portNumber(target) : target,
  };
}
