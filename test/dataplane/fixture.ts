import { DataPlane } from '../../src/dataplane/dataplane.ts';
import type { FlowRecord } from '../../src/dataplane/flow-record.ts';
import type { GateOptions } from '../../src/dataplane/gate.ts';
import { NodeFirewall } from '../../src/dataplane/node-firewall.ts';
import type { NetworkPolicy } from '../../src/model/policy.ts';
import { compile } from '../../src/table/compile.ts';
import { cluster } from '../builders/cluster.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';
import { NODE_ADDRESSES, NodeNetwork, type TestPod } from './node-network.ts';

/** No policies. */
export const OPEN = tableOf([]);
/** Nobody may reach any pod. */
export const CLOSED = tableOf([policy({ ingress: [] })]);

/** The table of pods 1 to 3, labelled `app: p1` and so on, under these policies. */
export function tableOf(policies: readonly NetworkPolicy[]): SharedArrayBuffer {
  const node = NODE_ADDRESSES.map(({ text }) => text);
  const pods = [1, 2, 3].map((number) =>
    pod({ name: `p${number}`, labels: { app: `p${number}` }, ip: [`10.0.0.${number}`, `fd00::${number}`], node }),
  );
  return compile(cluster({ pods, policies })).buffer;
}

/** A data plane with pods 1, 2 and 3. */
export interface Fixture extends AsyncDisposable {
  readonly network: NodeNetwork;
  readonly plane: DataPlane<NodeFirewall>;
  readonly pods: readonly [TestPod, TestPod, TestPod];
  readonly failures: Error[];
  readonly flows: FlowRecord[];
  /** The first flow, reported so far or to come, that is so. */
  flow(matches: (flow: FlowRecord) => boolean): Promise<FlowRecord>;
}

/** How the data plane differs from one that drops and keeps, with no policies. */
type FixtureOptions = Partial<GateOptions> & { readonly established?: 'keep' | 'strict' };

/** Starts a data plane; it vanishes when the fixture is disposed of. */
export async function startFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const { established = 'keep', ...gateOptions } = options;
  const network = new NodeNetwork();
  const flows: FlowRecord[] = [];
  const failures: Error[] = [];
  let notice = (): void => undefined;
  const place = { namespace: network.namespace, queue: 0 };
  const closing = NodeFirewall.closed({ ...place, established, nodeAddresses: NODE_ADDRESSES });
  const gate: GateOptions = {
    ...place,
    table: OPEN,
    deny: 'drop',
    onFlows: (batch) => {
      flows.push(...batch);
      notice();
    },
    onFailure: (error) => {
      failures.push(error);
      notice();
    },
    ...gateOptions,
  };
  const plane = await DataPlane.start(gate, closing);
  const pods = [network.attach(1), network.attach(2), network.attach(3)] as const;
  await plane.firewall.setPods(network.pods);
  return {
    network,
    plane,
    pods: [...pods],
    failures,
    flows,
    flow: async (matches) => {
      for (;;) {
        const found = flows.find(matches);
        if (found) return found;
        await new Promise<void>((resolve) => {
          notice = resolve;
        });
      }
    },
    [Symbol.asyncDispose]: async () => {
      await plane.stop();
      network.close();
    },
  };
}
