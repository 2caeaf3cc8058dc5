import type { FlowEnd } from '../../flows/flow-event.ts';
import type { PacketHeader } from '../../net/packet.ts';
import { IP_PROTOCOL } from '../../net/port.ts';
import type { Decider } from '../../table/decider.ts';
import { decideFlow } from '../conntrack.ts';
import { hashOf } from '../repeat-filter.ts';
import type { EndedFlow } from './carried-flow.ts';

const IDLE_MS = 30_000; // nf_conntrack_udp_timeout's default
const FLOWS_MAX = 8192;

interface UdpFlow {
  readonly startMs: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly port: number;
  lastMs: number;
  bytes: number;
  datagrams: number;
  /** Another flow of the same hash. */
  next: UdpFlow | undefined;
}

/** Counts what the pod sends by UDP, by addresses and ports. A flow ends when nothing has come for 30 s, or the policies deny it. */
export class UdpFlows {
  readonly #flows = new Map<number, UdpFlow>();
  readonly #ended: (flow: EndedFlow) => void;
  #count = 0;

  /** @param ended receives each flow that has ended. */
  constructor(ended: (flow: EndedFlow) => void) {
    this.#ended = ended;
  }

  /** How many flows are open. */
  get size(): number {
    return this.#count;
  }

  /** Counts a datagram, which `header` was read from. `at` is where its IP header starts. Cost: some 100 ns; allocates for a flow's first. */
  count(packet: Uint8Array, at: number, header: PacketHeader, timeMs: number): void {
    const hash = hashOf(packet, header);
    let flow = this.#flows.get(hash);
    while (flow && !isOf(flow, packet, header)) flow = flow.next;
    flow ??= this.#open(hash, packet, header, timeMs);
    flow.lastMs = timeMs;
    flow.datagrams += 1;
    flow.bytes += packetBytes(packet, at, header);
  }

  /** Ends the flows that nothing has come of for long. */
  endIdle(timeMs: number): void {
    this.#endWhere('idle', ({ lastMs }) => timeMs - lastMs >= IDLE_MS);
  }

  /** Ends the flows that a table denies. */
  cut(decider: Decider): void {
    this.#endWhere('cut', (flow) => decideFlow(decider, { ...flow, ipProtocol: IP_PROTOCOL.UDP }) !== 0);
  }

  /** Ends all flows. */
  close(): void {
    this.#endWhere('closed', () => true);
  }

  #open(hash: number, packet: Uint8Array, header: PacketHeader, timeMs: number): UdpFlow {
    if (this.#count >= FLOWS_MAX) this.#endLongestIdle();
    const length = header.family === 4 ? 4 : 16;
    const flow: UdpFlow = {
      startMs: timeMs,
      source: packet.slice(header.sourceAt, header.sourceAt + length),
      destination: packet.slice(header.destinationAt, header.destinationAt + length),
      sourcePort: header.sourcePort,
      port: header.destinationPort,
      lastMs: timeMs,
      bytes: 0,
      datagrams: 0,
      next: this.#flows.get(hash),
    };
    this.#flows.set(hash, flow);
    this.#count += 1;
    return flow;
  }

  /** Makes room: ends the older half. */
  #endLongestIdle(): void {
    const times = [...this.#flows.values()].map(({ lastMs }) => lastMs).sort((one, other) => one - other);
    const middle = times[times.length >>> 1] ?? 0;
    this.#endWhere('idle', ({ lastMs }) => lastMs <= middle);
  }

  #endWhere(end: FlowEnd, isOver: (flow: UdpFlow) => boolean): void {
    for (const [hash, first] of this.#flows) {
      let left: UdpFlow | undefined;
      for (let flow: UdpFlow | undefined = first; flow;) {
        const { next }: UdpFlow = flow;
        if (isOver(flow)) {
          this.#count -= 1;
          this.#ended(record(flow, end));
        } else {
          flow.next = left;
          left = flow;
        }
        flow = next;
      }
      if (left) this.#flows.set(hash, left);
      else this.#flows.delete(hash);
    }
  }
}

function isOf(flow: UdpFlow, packet: Uint8Array, header: PacketHeader): boolean {
  const { source, destination, sourcePort, port } = flow;
  if (sourcePort !== header.sourcePort || port !== header.destinationPort) return false;
  if (source.length !== (header.family === 4 ? 4 : 16)) return false;
  for (let index = 0; index < source.length; index++) {
    if (source[index] !== packet[header.sourceAt + index]) return false;
    if (destination[index] !== packet[header.destinationAt + index]) return false;
  }
  return true;
}

/** Bytes of the whole packet, of which only the beginning was queued. */
function packetBytes(packet: Uint8Array, at: number, header: PacketHeader): number {
  const word = (offset: number): number => ((packet[at + offset] ?? 0) << 8) | (packet[at + offset + 1] ?? 0);
  return header.family === 4 ? word(2) : 40 + word(4);
}

function record(flow: UdpFlow, end: FlowEnd): EndedFlow {
  return {
    startMs: flow.startMs,
    durationMs: flow.lastMs - flow.startMs,
    source: flow.source,
    destination: flow.destination,
    transport: 'UDP',
    sourcePort: flow.sourcePort,
    destinationPort: flow.port,
    sentBytes: flow.bytes,
    receivedBytes: 0,
    datagrams: flow.datagrams,
    end,
  };
}
