import type { ServiceRule } from '../dataplane/firewall.ts';
import type { KubeObject } from '../kube/list-watch.ts';
import { at, listAt, textAt } from '../apiserver/api-object.ts';
import type { JsonObject } from '../manifest/json.ts';
import { podKey } from '../model/pod.ts';
import type { Service } from '../model/service.ts';
import { parseIp, type Family, type IpAddress } from '../net/ip.ts';
import { parsePort, type Port } from '../net/port.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';

/** What one EndpointSlice says. */
interface Slice {
  /** The Service's, NAMESPACE/NAME. */
  readonly service: string;
  readonly family: Family;
  /** Those that are ready. */
  readonly addresses: readonly IpAddress[];
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: Port }[];
}

/** Services and the ready endpoints that their slices name, as kube-proxy sees them. */
export class ServiceView {
  readonly #services = new Map<string, Service>();
  readonly #slices = new Map<string, Slice>();

  get serviceKeys(): string[] {
    return [...this.#services.keys()];
  }

  get sliceKeys(): string[] {
    return [...this.#slices.keys()];
  }

  putService(key: string, service: Service): void {
    this.#services.set(key, service);
  }

  removeService(key: string): void {
    this.#services.delete(key);
  }

  /** Takes an EndpointSlice. What it says that cannot be understood is no endpoint. */
  putSlice(key: string, object: KubeObject): void {
    const slice = sliceOf(object as unknown as JsonObject, object.metadata.namespace ?? '');
    if (slice) this.#slices.set(key, slice);
    else this.#slices.delete(key);
  }

  removeSlice(key: string): void {
    this.#slices.delete(key);
  }

  /** How Service addresses are translated. Ports of SCTP are left out. Cost: a pass over all Services and slices. */
  rules(): ServiceRule[] {
    const slices = Map.groupBy(this.#slices.values(), ({ service }) => service);
    return [...this.#services].flatMap(([key, { kind, ports }]) => {
      if (kind.kind !== 'clusterIP') return [];
      return kind.addresses.flatMap((address) =>
        ports.flatMap(({ name, protocol, port }): ServiceRule[] => {
          if (protocol === 'SCTP') return [];
          const own = (slices.get(key) ?? []).filter(({ family }) => family === address.family);
          const endpoints = own.flatMap((slice) =>
            slice.ports
              .filter((served) => served.name === name && served.protocol === protocol)
              .flatMap((served) => slice.addresses.map((each) => ({ address: each, port: served.port }))),
          );
          return [{ address, protocol, port, endpoints }];
        }),
      );
    });
  }
}

function sliceOf(object: JsonObject, namespace: string): Slice | undefined {
  const name = textAt(object, 'metadata', 'labels', SERVICE_NAME);
  const type = textAt(object, 'addressType');
  if (name === '' || (type !== 'IPv4' && type !== 'IPv6')) return undefined;
  const family = type === 'IPv4' ? 4 : 6;
  // Readiness that is not said counts as ready. Source: discovery/v1 EndpointConditions.
  const ready = listAt(object, 'endpoints').filter((endpoint) => at(endpoint, 'conditions', 'ready') !== false);
  return {
    service: podKey({ namespace, name }),
    family,
    addresses: ready.flatMap((endpoint) => {
      const [first] = listAt(endpoint, 'addresses'); // further ones stand for the same endpoint
      const address = typeof first === 'string' ? parseIp(first) : undefined;
      return address?.family === family ? [address] : [];
    }),
    ports: listAt(object, 'ports').flatMap((item) => {
      const number = at(item, 'port');
      const port = typeof number === 'number' ? parsePort(number) : undefined;
      return port ? [{ name: textAt(item, 'name'), protocol: textAt(item, 'protocol') || 'TCP', port }] : [];
    }),
  };
}
