import { PROTOCOLS, TRANSPORTS, type Protocol, type Transport } from '../net/port.ts';
import { BlockPool } from './block-pool.ts';
import { SHIFT } from './layout.ts';

const PORTS = 1 << 16;
const PORTS_PER_PAGE = 1 << SHIFT.portPage;

/** Ports of one protocol, both ends inclusive. */
export interface PortRange {
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

/** Classes of ports that no range tells apart. Each belongs to one transport; ICMP is one class, the last. */
export interface PortClasses {
  readonly count: number;
  /** The class of a port. */
  of(transport: Transport, port: number): number;
  /** For each transport, the page of each 256 ports. */
  readonly directory: Int32Array;
  readonly pages: BlockPool;
}

/** Cuts the ports of every protocol at the bounds of the ranges. Classes ascend with the port. */
export function classifyPorts(ranges: Iterable<PortRange>): PortClasses {
  const cuts = new Map(PROTOCOLS.map((protocol) => [protocol, new Uint8Array(PORTS + 1)]));
  for (const { protocol, first, last } of ranges) {
    cuts
      .get(protocol)
      ?.fill(1, first, first + 1)
      .fill(1, last + 1, last + 2);
  }
  const pages = new BlockPool(PORTS_PER_PAGE);
  const directory = new Int32Array((TRANSPORTS.length * PORTS) / PORTS_PER_PAGE);
  const page = new Int32Array(PORTS_PER_PAGE);
  let current = -1;
  for (const [index, transport] of TRANSPORTS.entries()) {
    const cut = transport === 'ICMP' ? undefined : cuts.get(transport);
    for (let port = 0; port < PORTS; port++) {
      if (port === 0 || cut?.[port] === 1) current += 1;
      page[port % PORTS_PER_PAGE] = current;
      if (port % PORTS_PER_PAGE === PORTS_PER_PAGE - 1) {
        directory[(index * PORTS + port) >>> SHIFT.portPage] = pages.intern(page);
      }
    }
  }
  const of = (transport: Transport, port: number): number => {
    const at = TRANSPORTS.indexOf(transport) * PORTS + port;
    return pages.at(directory[at >>> SHIFT.portPage] ?? 0, port % PORTS_PER_PAGE);
  };
  return { count: current + 1, of, directory, pages };
}
