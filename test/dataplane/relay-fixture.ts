import { DataPlane } from '../../src/dataplane/dataplane.ts';
import type { FlowRecord } from '../../src/dataplane/flow-record.ts';
import { PodFirewall } from '../../src/dataplane/pod-firewall.ts';
import type { CarriedFlow } from '../../src/dataplane/relay/carried-flow.ts';
import { Relay } from '../../src/dataplane/relay/relay.ts';
import type { NetworkPolicy } from '../../src/model/policy.ts';
import { compile } from '../../src/table/compile.ts';
import { cluster } from '../builders/cluster.ts';
import { pod } from '../builders/pod.ts';
import { BridgeNetwork, GATEWAY } from './bridge-network.ts';
import type { TestPod } from './node-network.ts';

const GATE_QUEUE = 0;
const RELAY_QUEUE = 1;

/** What a relay fixture can differ in. */
export interface RelayFixtureOptions {
  readonly deny?: 'drop' | 'reject';
  readonly established?: 'keep' | 'strict';
  readonly policies?: readonly NetworkPolicy[];
}

/** Pods 2 and 3 on a bridge. The first has a gate and a relay, the second nothing of ours. */
export class RelayFixture implements AsyncDisposable {
  readonly network = new BridgeNetwork();
  readonly client = this.network.attach(2);
  readonly server = this.network.attach(3);
  readonly judged: FlowRecord[] = [];
  readonly carried: CarriedFlow[] = [];
  readonly failures: Error[] = [];
  #plane: DataPlane<PodFirewall> | undefined;
  #relay: Relay | undefined;
  #isStopped = false;
  #notice = (): void => undefined;

  static async start(options: RelayFixtureOptions = {}): Promise<RelayFixture> {
    const { deny = 'drop', established = 'keep', policies = [] } = options;
    const fixture = new RelayFixture();
    const { client } = fixture;
    const { namespace, addresses } = client;
    const firewall = PodFirewall.closed({ namespace, queue: GATE_QUEUE });
    firewall.setAddresses(addresses);
    fixture.#relay = await Relay.open({
      namespace,
      queue: RELAY_QUEUE,
      gateQueue: GATE_QUEUE,
      addresses,
      established,
      onCarried: (flows) => {
        fixture.carried.push(...flows);
        fixture.#notice();
      },
    });
    fixture.#plane = await DataPlane.start(
      {
        namespace,
        queue: GATE_QUEUE,
        table: tableOf(client, policies),
        deny,
        relay: fixture.relay,
        onFlows: (flows) => {
          fixture.judged.push(...flows);
          fixture.#notice();
        },
        onFailure: (error) => {
          fixture.failures.push(error);
          fixture.#notice();
        },
      },
      firewall.prepare(established).then(() => firewall),
    );
    return fixture;
  }

  get plane(): DataPlane<PodFirewall> {
    if (!this.#plane) throw new Error('not started');
    return this.#plane;
  }

  get relay(): Relay {
    if (!this.#relay) throw new Error('not opened');
    return this.#relay;
  }

  /** Ends gate and relay. */
  async stop(): Promise<void> {
    if (!this.#isStopped) await this.#plane?.stop();
    this.#isStopped = true;
  }

  /** Puts policies in force in the client's pod. */
  enforce(...policies: readonly NetworkPolicy[]): void {
    this.plane.swap(tableOf(this.client, policies));
  }

  /** Waits until this gives something, looking again whenever something is reported. */
  async until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#notice = resolve;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.network[Symbol.dispose]();
  }
}

/** The rows of one pod of pods 2 and 3, labelled `app: p2` and `app: p3`, under these policies. */
function tableOf(subject: TestPod, policies: readonly NetworkPolicy[]): SharedArrayBuffer {
  const node = [GATEWAY[4].text, GATEWAY[6].text];
  const pods = [2, 3].map((number) => {
    const ip = [`10.244.0.${number}`, `fd00:10:244::${number}`];
    return pod({ name: `p${number}`, labels: { app: `p${number}` }, ip, node });
  });
  const subjects = ({ addresses }: { addresses: readonly { text: string }[] }): boolean =>
    addresses[0]?.text === subject.address[4].text;
  return compile(cluster({ pods, policies }), { subjects }).buffer;
}
