import type { JsonObject } from '../../manifest/json.ts';
import { listAt, numberAt, textAt } from '../api-object.ts';

/** The address that a Service has inside the cluster. */
export function serviceAddress(service: JsonObject): string {
  return listAt(service, 'spec', 'clusterIPs').map(String)[0] ?? (textAt(service, 'spec', 'clusterIP') || '<none>');
}

/** The addresses that a Service has outside the cluster. Source: getServiceExternalIP. */
export function serviceExternal(service: JsonObject): string {
  const given = listAt(service, 'spec', 'externalIPs').map(String).join(',');
  switch (textAt(service, 'spec', 'type')) {
    case 'ExternalName':
      return textAt(service, 'spec', 'externalName') || '<none>';
    case 'LoadBalancer': {
      const balancers = listAt(service, 'status', 'loadBalancer', 'ingress');
      const addresses = balancers.map((one) => textAt(one, 'ip') || textAt(one, 'hostname')).join(',');
      return [addresses, given].filter((text) => text !== '').join(',') || '<pending>';
    }
    default:
      return given || '<none>';
  }
}

/** The ports of a Service: `80/TCP,53:30053/UDP`. */
export function servicePorts(service: JsonObject): string {
  const ports = listAt(service, 'spec', 'ports').map((port) => {
    const nodePort = numberAt(port, 'nodePort');
    return `${numberAt(port, 'port')}${nodePort === 0 ? '' : `:${nodePort}`}/${textAt(port, 'protocol') || 'TCP'}`;
  });
  return ports.join(',') || '<none>';
}
