import { buildZone, type ExternalName, type Zone } from '../dns/zone.ts';
import type { ApiLocation } from '../kube/api-location.ts';
import { ListWatch } from '../kube/list-watch.ts';
import type { ExternalHost } from '../lab/lab-client.ts';
import { startClusterDns } from '../lab/netns/cluster-dns.ts';
import { parseIp } from '../net/ip.ts';
import { FOLLOWED } from './followed.ts';
import { NameView } from './name-view.ts';
import { ownAddresses } from './own-network.ts';

/** What the cluster's name server is started with. */
export interface ClusterDnsOptions {
  readonly api: ApiLocation;
  readonly external: readonly ExternalHost[];
  /** Writes a line to whoever looks after the container. */
  readonly say: (line: string) => void;
}

const NAMES = ['namespaces', 'pods', 'services'] as const;

/** Serves the cluster's names from what the API says, on port 53 of this process's network. Returns once it knows them. */
export async function serveClusterDns({ api, external, say }: ClusterDnsOptions): Promise<void> {
  const names = external.map(nameOf);
  const view = new NameView();
  const listed = new Set<string>();
  let serial = 0;
  let zone: Zone | undefined;
  await new Promise<void>((resolve) => {
    for (const name of NAMES) {
      const changed = (): void => {
        zone = undefined; // made anew when it is asked for
        if (listed.size === NAMES.length) resolve();
      };
      ListWatch.start(api, FOLLOWED[name], {
        replace: (objects) => {
          view.replace(name, objects);
          listed.add(name);
          changed();
        },
        put: (object) => {
          view.put(name, object);
          changed();
        },
        remove: (object) => {
          view.remove(name, object);
          changed();
        },
        reached: () => undefined,
        trouble: (error) => {
          say(`${name}: ${error.message}; names that are known stay`);
        },
      });
    }
  });
  const currentZone = (): Zone => {
    serial += zone ? 0 : 1;
    zone ??= buildZone({ cluster: view.cluster, isReady: view.isReady, external: names, serial });
    return zone;
  };
  await startClusterDns({ addresses: ownAddresses() }, undefined, currentZone);
}

function nameOf({ name, addresses }: ExternalHost): ExternalName {
  return { name, addresses: addresses.flatMap((text) => parseIp(text) ?? []) };
}
