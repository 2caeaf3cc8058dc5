import { addressEnds } from '../diff/address-ends.ts';
import { cidrsOf, joinedRanges, type AddressRange } from '../diff/address-range.ts';
import { Blocks } from '../diff/blocks.ts';
import { joined, portsText, PortCuts } from '../diff/port-cuts.ts';
import { portText } from '../expect/served-ports.ts';
import type { Pod } from '../model/pod.ts';
import type { Connection } from '../model/verdict.ts';
import type { Family, IpAddress } from '../net/ip.ts';
import type { Reach } from './graph.ts';
import type { GraphView, Group } from './graph-view.ts';

/** Addresses outside the cluster that policies do not tell apart. `address` stands for them. */
interface Outside {
  readonly address: IpAddress;
  readonly ranges: readonly AddressRange[];
}

/** Addresses that are reached, or reach, on some ports. */
interface Open {
  readonly outside: Outside;
  readonly ports: string;
  readonly isPartial: boolean;
}

const FAMILIES: readonly Family[] = [4, 6];
const SHOWN_CIDRS = 3;

/** What crosses the cluster's border to and from pods that a policy isolates. */
export class OutsideView {
  readonly #view: GraphView;
  readonly #outside: readonly Outside[];
  readonly #cuts = new PortCuts();

  constructor(view: GraphView) {
    const { cluster } = view;
    this.#view = view;
    const blocks = new Blocks(cluster.policies);
    this.#outside = FAMILIES.flatMap((family) =>
      addressEnds({ before: cluster, after: cluster }, blocks, family).filter((end) => end.kind === 'outside'),
    );
  }

  /** From outside to the ports that the group serves. */
  into({ node, ports, isTouched }: Group): Reach[] {
    if (!isTouched.ingress) return [];
    const open = this.#outside.flatMap((outside): Open[] => {
      const reached = ports.flatMap(({ spec, pods }) => {
        const able = withFamily(pods, outside.address);
        const { protocol: transport, port } = spec;
        const asked = { source: outside.address, transport, port };
        const passing = able.filter((destination) => this.#view.allows({ ...asked, destination })).length;
        return passing === 0 ? [] : [{ text: portText(spec), isPartial: passing < able.length }];
      });
      const isPartial = reached.some((each) => each.isPartial);
      return reached.length === 0 ? [] : [{ outside, ports: reached.map(({ text }) => text).join(', '), isPartial }];
    });
    return together(open).map(({ addresses, ...how }) => {
      return { from: [{ kind: 'outside', addresses }], to: { kind: 'node', name: node.name }, ...how };
    });
  }

  /** From the group's pods that a policy isolates to outside. */
  outOf({ node, pods }: Group): Reach[] {
    const isolated = pods.filter((pod) => this.#view.isolating(pod, 'egress').length > 0);
    const [pod] = isolated;
    if (!pod) return [];
    const policies = this.#view.isolating(pod, 'egress');
    const key = policies.map((policy) => this.#view.cluster.policies.indexOf(policy)).join();
    const cuts = this.#cuts.between([{ key, sides: policies.map(({ egress }) => egress) }], undefined);
    const open = this.#outside.flatMap((outside): Open[] => {
      const [source] = withFamily([pod], outside.address);
      if (!source) return [];
      const reached = cuts.filter(({ protocol: transport, first }) =>
        this.#view.allows({ source, destination: outside.address, transport, port: first as Connection['port'] }),
      );
      const isPartial = isolated.length < pods.length;
      return reached.length === 0 ? [] : [{ outside, ports: portsText(joined(reached)), isPartial }];
    });
    return together(open).map(({ addresses, ...how }) => {
      return { from: [{ kind: 'node', name: node.name }], to: { kind: 'outside', addresses }, ...how };
    });
  }
}

/** The pods' addresses of the family. */
function withFamily(pods: readonly Pod[], { family }: IpAddress): IpAddress[] {
  return pods.flatMap(({ addresses }) => addresses.filter((own) => own.family === family));
}

/** Addresses of the same ports, put together. */
function together(open: readonly Open[]): { addresses: string; ports: string; isPartial: boolean }[] {
  return [...Map.groupBy(open, ({ ports, isPartial }) => JSON.stringify([ports, isPartial])).values()].map((some) => {
    const cidrs = FAMILIES.flatMap((family) => {
      const ranges = some.flatMap(({ outside }) => (outside.address.family === family ? outside.ranges : []));
      return joinedRanges(ranges).flatMap((range) => cidrsOf(range, family));
    });
    return { addresses: addressesText(cidrs), ports: some[0]?.ports ?? '', isPartial: some[0]?.isPartial ?? false };
  });
}

function addressesText(cidrs: readonly string[]): string {
  if (cidrs.includes('0.0.0.0/0') && cidrs.includes('::/0')) return 'anywhere outside';
  const more = cidrs.length - SHOWN_CIDRS;
  return [...cidrs.slice(0, SHOWN_CIDRS), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}
