import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type net from 'node:net';
import { expect, test, vi } from 'vitest';
import { DataPlane } from '../../src/dataplane/dataplane.ts';
import { inNamespace } from '../../src/dataplane/libc.ts';
import { PodFirewall } from '../../src/dataplane/pod-firewall.ts';
import type { Family } from '../../src/net/ip.ts';
import { dial, tcpServer } from './attempt.ts';
import { BridgeNetwork } from './bridge-network.ts';
import { OPEN, startFixture } from './fixture.ts';
import type { TestPod } from './node-network.ts';
import { RelayFixture } from './relay-fixture.ts';

/** A way between two pods: the namespaces whose conntrack sees a connection, once for each time it does, and for how long it is remembered once it is over. */
interface Way extends AsyncDisposable {
  readonly client: TestPod;
  readonly server: TestPod;
  readonly namespaces: readonly number[];
  readonly entries: number;
  readonly overSeconds: number;
}

const WAYS: Readonly<Record<string, () => Promise<Way>>> = {
  'a node': async () => {
    const { network, pods, ...fixture } = await startFixture();
    const [client, server] = pods;
    return { ...fixture, client, server, namespaces: [network.namespace], entries: 1, overSeconds: 120 };
  },
  'gates in pods': async () => {
    const network = new BridgeNetwork();
    const [client, server] = [network.attach(2), network.attach(3)];
    const gates = await Promise.all([client, server].map(gateIn));
    return {
      client,
      server,
      namespaces: [client.namespace, server.namespace],
      entries: 2,
      overSeconds: 120,
      [Symbol.asyncDispose]: async () => {
        for (const gate of gates) await gate.stop();
        network[Symbol.dispose]();
      },
    };
  },
  'a relay': async () => {
    const fixture = await RelayFixture.start();
    const { client, server } = fixture;
    return {
      client,
      server,
      namespaces: [client.namespace],
      entries: 2,
      overSeconds: 5,
      [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
    };
  },
};

function gateIn({ namespace, addresses }: TestPod): Promise<DataPlane<PodFirewall>> {
  const place = { namespace, queue: 0 };
  const firewall = PodFirewall.closed(place);
  firewall.setAddresses(addresses);
  const onFailure = (error: Error): never => {
    throw error;
  };
  const closing = firewall.prepare('keep').then(() => firewall);
  return DataPlane.start({ ...place, table: OPEN, deny: 'drop', onFlows: () => undefined, onFailure }, closing);
}

/** What conntrack knows of TCP connections in a way's namespaces: their states and how many seconds are left of each. */
function tracked({ namespaces }: Way, family: Family): { state: string; seconds: number }[] {
  return namespaces.flatMap((namespace) => {
    const args = ['-L', '-p', 'tcp', '-f', `ipv${family}`];
    const list = inNamespace(namespace, () => execFileSync('conntrack', args, { encoding: 'utf8', stdio: 'pipe' }));
    return [...list.matchAll(/^tcp +6 ([0-9]+) ([A-Z_]+)/gm)].map(([, seconds, state = '']) => ({
      state,
      seconds: Number(seconds),
    }));
  });
}

test.each(
  Object.keys(WAYS).flatMap((name) =>
    ([4, 6] as const).flatMap((family) =>
      (['client', 'server'] as const).map((first) => [name, family, first] as const),
    ),
  ),
)(
  '%s, IPv%i: half-closed by the %s, a connection is remembered for an hour of silence',
  async (name, family, first) => {
    await using way = await (WAYS[name] as () => Promise<Way>)();
    const arrival = Promise.withResolvers<net.Socket>();
    await using _tcp = await tcpServer(way.server, 80, { silent: true, onConnection: arrival.resolve });
    const near = dial(way.client, { address: way.server.address[family], port: 80 });
    near.allowHalfOpen = true;
    await once(near, 'connect');
    const far = await arrival.promise;
    const [closing, other] = first === 'client' ? [near, far] : [far, near];
    const until = (state: string): Promise<number[]> =>
      vi.waitFor(() => {
        const entries = tracked(way, family);
        expect(entries.map((entry) => entry.state)).toEqual(Array.from({ length: way.entries }, () => state));
        return entries.map(({ seconds }) => seconds);
      }, 5000);

    closing.end();
    other.resume();
    await once(other, 'end');
    for (const seconds of await until('CLOSE_WAIT')) expect(seconds).toBeGreaterThan(3500);

    closing.resume();
    other.end('last words');
    await once(closing, 'end');
    for (const seconds of await until('TIME_WAIT')) expect(seconds).toBeLessThanOrEqual(way.overSeconds);
  },
);
