import { parseIp, type IpAddress } from '../net/ip.ts';
import { parsePort, parseProtocol, type Port } from '../net/port.ts';
import type { Service, ServicePort } from '../model/service.ts';
import type { ManifestObject } from './manifest-object.ts';
import { selectorOfLabels } from './selector.ts';
import type { ServiceManifest, ServiceSpec } from './service-schema.ts';

/** Whether the Service has an address of its own. */
export function hasClusterIp({ spec = {} }: ServiceManifest): boolean {
  return spec.type !== 'ExternalName' && spec.clusterIP !== 'None' && spec.clusterIPs?.[0] !== 'None';
}

/** The addresses that the Service is written with. */
export function givenClusterIps({ spec: { clusterIP = '', clusterIPs = [] } = {} }: ServiceManifest): IpAddress[] {
  const all = [clusterIP, ...clusterIPs].flatMap((text) => parseIp(text) ?? []);
  return all.filter((address, index) => all.findIndex(({ text }) => text === address.text) === index);
}

/**
 * Whether the Service is to have an address of the family: of those that it asks for, of both if it asks for none.
 * A cluster would give it one unless its ipFamilyPolicy says otherwise; here that one is had by asking for it.
 */
export function wantsFamily({ spec = {} }: ServiceManifest, { family }: IpAddress): boolean {
  const { ipFamilies = [], ipFamilyPolicy } = spec;
  if (ipFamilies.length > 0) return ipFamilies.includes(`IPv${family}`);
  return ipFamilyPolicy !== 'SingleStack' || family === 4;
}

/** The model of a Service that validation has passed, with these addresses. */
export function buildService(
  object: ManifestObject,
  { spec = {} }: ServiceManifest,
  addresses: readonly IpAddress[],
): Service {
  const { selector = {}, ports = [] } = spec;
  return {
    namespace: object.namespace,
    name: object.name,
    kind: kindOf(spec, addresses),
    selector:
      Object.keys(selector).length === 0 ? { kind: 'none' } : { kind: 'pods', selector: selectorOfLabels(selector) },
    ports: ports.flatMap(buildPort),
    publishNotReadyAddresses: spec.publishNotReadyAddresses ?? false,
    source: object.source,
  };
}

/** What of a Service has no effect in a lab. */
export function serviceWarnings({ namespace, name, kind, selector, source }: Service): string[] {
  if (kind.kind === 'external' || selector.kind !== 'none') return [];
  const place = `${source.file}:${source.line}: Service ${namespace}/${name}`;
  return [`${place}: without a selector it leads nowhere: Endpoints and EndpointSlices of your own have no effect`];
}

function kindOf(spec: ServiceSpec, addresses: readonly IpAddress[]): Service['kind'] {
  if (spec.type === 'ExternalName') return { kind: 'external', name: (spec.externalName ?? '').replace(/\.$/, '') };
  return hasClusterIp({ spec }) ? { kind: 'clusterIP', addresses } : { kind: 'headless' };
}

function buildPort({
  name = '',
  port = 0,
  protocol,
  targetPort,
}: NonNullable<ServiceSpec['ports']>[number]): ServicePort[] {
  const number = parsePort(port);
  const transport = parseProtocol(protocol || 'TCP');
  return number && transport ? [{ name, protocol: transport, port: number, target: targetOf(targetPort, number) }] : [];
}

/** The port itself where no target, an empty one or 0 is written. */
function targetOf(target: number | string | undefined, port: Port): Port | string {
  if (typeof target === 'string') return target || port;
  return (target === undefined ? undefined : parsePort(target)) ?? port;
}
