import { DataPlane } from '../dataplane/dataplane.ts';
import { PodFirewall } from '../dataplane/pod-firewall.ts';
import { Relay } from '../dataplane/relay/relay.ts';
import { RuleLoader } from '../dataplane/rule-loader.ts';
import type { Pod } from '../model/pod.ts';
import { invariant } from '../model/invariant.ts';
import { compile } from '../table/compile.ts';
import type { BenchNetwork, BenchPod } from './bench-network.ts';
import { BENCH_PORT } from './bench-ports.ts';
import { Haproxy, tcpProxy } from './haproxy.ts';
import { SCALES, workload } from './workload.ts';

/**
 * How a pod's connections may be carried. `direct` is without any of us, `conntrack` with nothing but the kernel's
 * connection tracking, `gated haproxy` with the gate judging what haproxy dials and what its clients do.
 */
export type WayName = 'direct' | 'conntrack' | 'kernel' | 'relay' | 'haproxy' | 'gated haproxy';

/** A client's pod whose connections are carried in one way. */
export interface Way extends AsyncDisposable {
  readonly name: WayName;
  readonly pod: BenchPod;
  /** Processor time of what judges or carries, in microseconds so far. */
  cpuMicroseconds(): number;
  /** First packets that were judged, and connections that were carried, so far. */
  counts(): { readonly judged: number; readonly carried: number };
}

const QUEUE = { gate: 0, relay: 1 } as const;
const DIVERTED = { http: 15_001, sink: 15_002 } as const;
const SEED = 1;

/** A pod that has nothing of ours. */
export function direct(network: BenchNetwork): Way {
  return untouched(network.attach());
}

function untouched(pod: BenchPod): Way {
  return {
    name: 'direct',
    pod,
    cpuMicroseconds: () => 0,
    counts: () => ({ judged: 0, carried: 0 }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A pod whose connections the kernel tracks, as whatever enforces policies needs, and lets pass. */
export function conntrack(network: BenchNetwork): Way {
  const pod = network.attach();
  new RuleLoader(pod.namespace).nftAtOnce(
    [
      'table inet tracked {',
      'chain output {',
      'type filter hook output priority 0;',
      'ct state established accept',
      '}',
      '}',
      '',
    ].join('\n'),
  );
  return { ...untouched(pod), name: 'conntrack' };
}

/** A pod behind haproxy: its TCP connections are diverted as the relay's are. */
export async function haproxy(network: BenchNetwork, server: BenchPod): Promise<Way> {
  const pod = network.attach();
  const proxy = await proxied(pod, server);
  return {
    ...untouched(pod),
    name: 'haproxy',
    cpuMicroseconds: () => proxy.cpuMicroseconds(),
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

/** A pod with a gate and behind haproxy: each of a connection's two SYNs is queued, as with the relay. */
export async function gatedHaproxy(network: BenchNetwork, server: BenchPod): Promise<Way> {
  const gate = await gated(network, server, 'kernel');
  const proxy = await proxied(gate.pod, server);
  return {
    ...gate,
    name: 'gated haproxy',
    cpuMicroseconds: () => gate.cpuMicroseconds() + proxy.cpuMicroseconds(),
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await gate[Symbol.asyncDispose]();
    },
  };
}

async function proxied(pod: BenchPod, server: BenchPod): Promise<Haproxy> {
  const proxy = await Haproxy.start(pod, tcpProxy(server.address.text, DIVERTED), DIVERTED.http);
  const divert = (port: number, to: number): string =>
    `ip daddr ${server.address.text} tcp dport ${port} redirect to :${to}`;
  new RuleLoader(pod.namespace).nftAtOnce(
    [
      'table ip divert {',
      'chain output {',
      'type nat hook output priority -100;',
      divert(BENCH_PORT.http, DIVERTED.http),
      divert(BENCH_PORT.sink, DIVERTED.sink),
      '}',
      '}',
      '',
    ].join('\n'),
  );
  return proxy;
}

/** A pod with a gate, whose connections conntrack carries, or a relay. */
export async function gated(network: BenchNetwork, server: BenchPod, name: 'kernel' | 'relay'): Promise<Way> {
  const pod = network.attach();
  const { namespace, address } = pod;
  let judged = 0;
  let carried = 0;
  const firewall = PodFirewall.closed({ namespace, queue: QUEUE.gate });
  firewall.setAddresses([address]);
  const relayed = (): Promise<Relay> =>
    Relay.open({
      namespace,
      queue: QUEUE.relay,
      gateQueue: QUEUE.gate,
      addresses: [address],
      established: 'strict',
      onCarried: (flows) => {
        carried += flows.length;
      },
    });
  const plane = await DataPlane.start(
    {
      namespace,
      queue: QUEUE.gate,
      table: tableOf(pod, server),
      deny: 'drop',
      onFlows: (flows) => {
        judged += flows.length;
      },
      onFailure: (error) => {
        throw error;
      },
      ...(name === 'relay' ? { relay: await relayed() } : {}),
    },
    firewall.prepare('strict').then(() => firewall),
  );
  return {
    name,
    pod,
    cpuMicroseconds: () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    counts: () => ({ judged, carried }),
    [Symbol.asyncDispose]: () => plane.stop(),
  };
}

/** A table of 100 pods under 50 policies, with client and server in a namespace without any. */
function tableOf(client: BenchPod, server: BenchPod): SharedArrayBuffer {
  const cluster = workload(SCALES.S, SEED);
  const [template] = cluster.pods;
  invariant(template, 'a workload has pods');
  const namespace = 'bench';
  const pods = [client, server].map(({ address }, index): Pod => ({
    ...template,
    namespace,
    name: `pod-${index}`,
    addresses: [address],
  }));
  const namespaces = new Map([...cluster.namespaces, [namespace, { name: namespace, labels: new Map() }]]);
  return compile({ ...cluster, namespaces, pods: [...cluster.pods, ...pods] }).buffer;
}
