import type { ServiceRule } from '../../dataplane/firewall.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { Pod } from '../../model/pod.ts';
import { backends, serviceEndpoints } from '../../model/service.ts';

/** How Service addresses are translated: to the ready pods behind each port. Ports of SCTP are left out. */
export function serviceRules(cluster: Cluster, isReady: (pod: Pod) => boolean): ServiceRule[] {
  return cluster.services.flatMap((service) => {
    if (service.kind.kind !== 'clusterIP') return [];
    const { addresses } = service.kind;
    const pods = backends(service, cluster.pods).filter((pod) => service.publishNotReadyAddresses || isReady(pod));
    return addresses.flatMap((address) =>
      service.ports.flatMap((port): ServiceRule[] => {
        if (port.protocol === 'SCTP') return [];
        const endpoints = serviceEndpoints(port, pods, address.family);
        return [
          {
            address,
            protocol: port.protocol,
            port: port.port,
            endpoints: endpoints.map((end) => ({ address: end.address, port: end.port })),
          },
        ];
      }),
    );
  });
}
