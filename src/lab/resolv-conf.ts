import type { Pod } from '../model/pod.ts';

const CLUSTER_DOMAIN = 'cluster.local';

/**
 * A pod's resolv.conf. What it says of its own comes after what the cluster gives it; an option of its own wins.
 * @param nameServers addresses of the cluster's. Source: the kubelet's DNS configurer.
 */
export function resolvConf(
  { namespace, resolver }: Pick<Pod, 'namespace' | 'resolver'>,
  nameServers: readonly string[],
): string {
  const service = `svc.${CLUSTER_DOMAIN}`;
  const given = resolver.ofCluster
    ? {
        nameServers,
        searches: [`${namespace}.${service}`, service, CLUSTER_DOMAIN],
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
