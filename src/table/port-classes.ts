import { TRANSPORTS, type Protocol, type Transport } from '../net/port.ts';
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
  readonly of: (transport: Transport, port: number) => number;
  /** For each transport, the page of each 256 ports. */
  readonly directory: Int32Array;
  readonly pages: BlockPool;
}

/** Cuts the ports of every protocol at the bounds of the ranges. Classes ascend with the port. */
export function classifyPorts(ranges: Iterable<PortRange>): PortClasses {
  const cuts = cutsOf(ranges);
  const pages = new BlockPool(PORTS_PER_PAGE);
  const directory = new Int32Array((TRANSPORTS.length * PORTS) / PORTS_PER_PAGE);
  const classes = new Int32Array(PORTS);
  let count = 0;
  for (const [index, transport] of TRANSPORTS.entries()) {
    cuts[transport].forEach((cut, place, all) => classes.fill(count++, cut, all[place + 1]));
    directory.set(pagesOf(classes, pages), (index * PORTS) / PORTS_PER_PAGE);
  }
  const of = (transport: Transport, port: number): number => {
    const at = TRANSPORTS.indexOf(transport) * PORTS + port;
    return pages.at(directory[at >>> SHIFT.portPage] ?? 0, port % PORTS_PER_PAGE);
  };
  return { count, of, directory, pages };
}

/** The first ports of each transport's classes, ascending. */
function cutsOf(ranges: Iterable<PortRange>): Record<Transport, number[]> {
  const first = (): Set<number> => new Set([0]);
  const cuts = { TCP: first(), UDP: first(), SCTP: first(), ICMP: first() };
  for (const range of ranges) cuts[range.protocol].add(range.first).add(range.last + 1);
  const ascending = (some: Set<number>): number[] =>
    [...some].filter((cut) => cut < PORTS).sort((one, other) => one - other);
  return {
    TCP: ascending(cuts.TCP),
    UDP: ascending(cuts.UDP),
    SCTP: ascending(cuts.SCTP),
    ICMP: ascending(cuts.ICMP),
  };
}

/** The ids of the pages that these classes of all ports fill. */
function pagesOf(classes: Int32Array, pages: BlockPool): number[] {
  const ids: number[] = [];
  let uniform = -1; // the class that fills the page before, most pages being like that one
  for (let at = 0; at < PORTS; at += PORTS_PER_PAGE) {
    const [first = 0, last = 0] = [classes[at], classes[at + PORTS_PER_PAGE - 1]];
    const known = first === last && first === uniform ? ids.at(-1) : undefined;
    ids.push(known ?? pages.intern(classes, at));
    uniform = first === last ? first : -1;
  }
  return ids;
}
