import { CLUSTER_DOMAIN } from '../dns/names.ts';
import type { Pod } from '../model/pod.ts';

const SERVICES_DOMAIN = `svc.${CLUSTER_DOMAIN}`;

/** The domain of a pod's full name in its hosts file. @returns empty without a subdomain. Source: the kubelet's GeneratePodHostNameAndDomain. */
export function domainOf({ namespace, subdomain }: Pick<Pod, 'namespace' | 'subdomain'>): string {
  return subdomain === '' ? '' : `${subdomain}.${namespace}.${SERVICES_DOMAIN}`;
}

/**
 * A pod's resolv.conf. What it says of its own comes after what the cluster gives it; an option of its own wins.
 * @param nameServers addresses of the cluster's. Source: the kubelet's DNS configurer.
 */
export function resolvConf(
  { namespace, resolver }: Pick<Pod, 'namespace' | 'resolver'>,
  nameServers: readonly string[],
): string {
  const given = resolver.ofCluster
    ? {
        nameServers,
        searches: [`${namespace}.${SERVICES_DOMAIN}`, SERVICES_DOMAIN, CLUSTER_DOMAIN],
        options: [{ name: 'ndots', value: '5' }],
      }
    : { nameServers: [], searches: [], options: [] };
  const servers = new Set([...given.nameServers, ...resolver.nameServers]);
  const searches = new Set([...given.searches, ...resolver.searches]);
  const options = new Map([...given.options, ...resolver.options].map(({ name, value }) => [name, value]));
  const lines = [
    ...[...servers].map((address) => `nameserver ${address}`),
    ['search', ...searches].join(' '),
    ['options', ...[...options].map(([name, value]) => (value === '' ? name : `${name}:${value}`))].join(' '),
  ];
  return lines
    .filter((line) => line.includes(' '))
    .map((line) => `${line}\n`)
    .join('');
}
