import { AddressPool, POD_NETWORKS } from '../../manifest/address-pool.ts';
import { podKey, type Pod } from '../../model/pod.ts';
import type { IpAddress } from '../../net/ip.ts';
import { carriedBy, DEFAULT_OPTIONS, type LabSpec } from '../lab-client.ts';
import { nameServersOf } from '../control-plane/cluster-dns.ts';
import { domainOf, resolvConf } from '../resolv-conf.ts';
import { composeText, type ComposeDocument } from './compose-text.ts';
import { healthyWith } from './healthcheck.ts';
import { planContainers, type ComposePlan, type PlannedHost } from './compose-plan.ts';
import { LABELS } from './labels.ts';
import { MANIFEST_PATHS } from './placed-manifests.ts';
import { API_PORT, CONTROL_PLANE, outsideService, proxyService } from './service-names.ts';
import { escaped, isShown, portsText, workloadService, type ComposeService, type Images, type PlannedService } from './workload-service.ts';

/** A compose file, and what it leaves out. */
export interface ComposeFile {
  readonly text: string;
  readonly warnings: readonly string[];
}

const RUN = 'run:/run/netpol-lab';

/**
 * Writes a lab as a compose file that runs by itself. The same lab gives the same text.
 * @param podNetworks where its pods get their addresses from, one network of each family.
 * @throws LabError usage for manifests with issues, and for pods that cannot be containers.
 */
export async function composeFile(
  given: LabSpec,
  images: Images,
  podNetworks: readonly string[] = POD_NETWORKS,
): Promise<ComposeFile> {
  const spec = carriedBy(given, 'relay');
  const plan = await planContainers(spec, podNetworks);
  const document: ComposeDocument = {
    lab: spec.name,
    templates: templatesOf(spec),
    services: [
      controlPlane(spec, new AddressPool(podNetworks).gateways),
      ...plan.pods.flatMap((pod) => [
        proxy(pod, images),
        ...pod.containers.map((container) => workloadService(pod, container, images)),
      ]),
      ...plan.hosts.map(outsideHost),
    ],
    configs: configsOf(plan),
    networks: {
      pods: {
        driver_opts: { 'com.docker.network.bridge.enable_ip_masquerade': 'false' },
        enable_ipv6: true,
        ipam: { config: podNetworks.map((subnet) => ({ subnet })) },
        labels: labelled(spec),
      },
      host: { labels: labelled(spec) },
    },
    volumes: { run: { labels: labelled(spec) } },
  };
  return { text: composeText(document), warnings: plan.warnings };
}

function labelled({ name }: LabSpec): ComposeService {
  return { [LABELS.lab]: name };
}

function templatesOf({ options }: LabSpec): ComposeDocument['templates'] {
  const image = { image: 'netpol-lab', pull_policy: 'never' };
  const closed = { cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] };
  return {
    'lab-process': {
      comment: "netpol-lab's own processes: no capability, an ordinary user.",
      service: { ...image, ...closed, stop_grace_period: '2s' },
    },
    proxy: {
      comment:
        "A pod's proxy: its network is the pod's. It closes the pod, learns the policies from the control plane, and then\n" +
        'judges the first packet of every connection, in and out. NET_ADMIN is for its rules and its queue. Its user is\n' +
        'root, without any right but this, as it writes the resolv.conf of the pod, which Docker makes a file of root.',
      service: {
        ...image,
        user: 'root',
        ...closed,
        cap_add: ['NET_ADMIN'],
        stop_grace_period: '2s',
        entrypoint: [
          'sh',
          '-c',
          'cp /etc/netpol-lab/resolv.conf /etc/ && exec supervise netpol-lab container proxy "$$@"',
          'proxy',
        ],
        // A proxy makes little garbage: a young generation of 1 MB instead of 16.
        environment: { NODE_OPTIONS: '--max-semi-space-size=1 --v8-pool-size=1' },
        volumes: [RUN],
        tmpfs: ['/run/netpol-lab-proxy'],
        // Linux sends but a few ICMP refusals a second otherwise.
        ...(options.deny === 'reject' ? { sysctls: { 'net.ipv4.icmp_ratemask': 0 } } : {}),
        depends_on: { [CONTROL_PLANE]: { condition: 'service_healthy' } },
        restart: 'on-failure:5',
        healthcheck: healthyWith('-f', '/run/netpol-lab-proxy/ready'),
      },
    },
    outside: {
      comment: "A host outside the cluster: a neighbour of the pods, which takes the host's addresses beside its own.",
      service: {
        ...image,
        user: 'root',
        ...closed,
        cap_add: ['NET_ADMIN'],
        stop_grace_period: '2s',
        entrypoint: 'netpol-lab container external',
        volumes: [RUN],
        restart: 'on-failure:5',
      },
    },
    'stand-in': {
      comment: "A container that stands in for the manifest's own image: it serves the declared ports, or idles.",
      service: { ...image, ...closed, init: true, stop_grace_period: '1s' },
    },
  };
}

function controlPlane({ name, files, options }: LabSpec, node: readonly IpAddress[]): PlannedService {
  return {
    name: CONTROL_PLANE,
    template: 'lab-process',
    comment: "The control plane: the lab's objects, and the Kubernetes API for proxies, netpol-lab and kubectl.",
    service: {
      command: words(
        `container control-plane --name ${name} --manifests ${MANIFESTS} --external ${EXTERNAL}`,
        `--run /run/netpol-lab --listen 0.0.0.0:${API_PORT} --node-addresses ${node.map(({ text }) => text).join(',')}`,
        `--deny ${options.deny} --established ${options.established} --carry ${options.carry}`,
        options.cni === DEFAULT_OPTIONS.cni ? '' : `--cni ${options.cni}`,
      ),
      configs: [
        { source: MANIFEST_PATHS_CONFIG, target: `${MANIFESTS}/${MANIFEST_PATHS}` },
        ...files.map((_, index) => ({ source: manifestConfig(index), target: `${MANIFESTS}/${index + 1}` })),
        { source: 'external', target: EXTERNAL },
      ],
      volumes: [RUN],
      networks: ['host'],
      ports: [`127.0.0.1::${API_PORT}`],
      restart: 'on-failure:5',
      healthcheck: healthyWith('-S', '/run/netpol-lab/api.sock'),
    },
  };
}

/** A command line; none of its words has anything that a shell would take apart. */
function words(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}

const MANIFESTS = '/etc/netpol-lab/manifests';
const MANIFEST_PATHS_CONFIG = 'manifest-paths';
const EXTERNAL = '/etc/netpol-lab/external.json';

function manifestConfig(index: number): string {
  return `manifest-${index + 1}`;
}

function proxy(pod: Pod, images: Images): PlannedService {
  const shown = pod.containers.filter((container) => isShown(container, images)).map(({ name }) => name);
  return {
    name: proxyService(pod),
    template: 'proxy',
    comment: `Pod ${podKey(pod)}`,
    service: {
      command: words(
        `--pod ${podKey(pod)} --run /run/netpol-lab`,
        shown.length > 0 ? `--shown ${shown.join(',')}` : '',
      ),
      hostname: pod.hostname,
      ...(domainOf(pod) === '' ? {} : { domainname: domainOf(pod) }),
      ...extraHosts(pod),
      networks: { pods: staticAddresses(pod.addresses) },
      configs: [{ source: resolverConfig(pod), target: '/etc/netpol-lab/resolv.conf' }],
      labels: { [LABELS.pod]: podKey(pod) },
    },
  };
}

/** Docker writes them to the hosts file of the proxy, which the pod's containers share. */
function extraHosts({ hostAliases }: Pod): ComposeService {
  const hosts = hostAliases.flatMap(({ ip, hostnames }) => hostnames.map((name) => `${name}:${ip}`));
  return hosts.length === 0 ? {} : { extra_hosts: hosts };
}

function staticAddresses(addresses: Pod['addresses']): ComposeService {
  return Object.fromEntries(addresses.map(({ family, text }) => [`ipv${family}_address`, text]));
}

function outsideHost({ name, addresses, ports, bridge }: PlannedHost): PlannedService {
  return {
    name: outsideService(name),
    template: 'outside',
    comment: `Outside the cluster: ${name}`,
    service: {
      command: words(
        `--name ${name} --addresses ${addresses.join(',')}`,
        ports.length === 0 ? '' : `--ports ${portsText(ports)}`,
        '--run /run/netpol-lab',
      ),
      networks: { pods: staticAddresses(bridge) },
    },
  };
}

/** A resolv.conf for each namespace, and for each pod that has a resolver of its own. */
function resolverConfig({ namespace, name, resolver }: Pod): string {
  const { ofCluster, nameServers, searches, options } = resolver;
  const isUsual = ofCluster && [...nameServers, ...searches, ...options].length === 0;
  return isUsual ? `resolv-${namespace}` : `resolv-${namespace}_${name}`;
}

function configsOf({ spec, cluster, pods }: ComposePlan): ComposeDocument['configs'] {
  const manifests = spec.files.map(({ text }, index) => [manifestConfig(index), escaped(text)] as const);
  const resolvers = pods.map(
    (pod) => [resolverConfig(pod), escaped(resolvConf(pod, nameServersOf(pod, cluster)))] as const,
  );
  return Object.fromEntries([
    ...resolvers,
    ['external', jsonList(spec.external)],
    [MANIFEST_PATHS_CONFIG, escaped(jsonList(spec.files.map(({ path }) => path)))],
    ...manifests,
  ]);
}

/** A list in JSON, an item a line. */
function jsonList(items: readonly unknown[]): string {
  return items.length === 0 ? '[]\n' : `[\n${items.map((item) => `  ${JSON.stringify(item)}`).join(',\n')}\n]\n`;
}
