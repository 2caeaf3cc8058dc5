import { namedPort, type Pod } from '../model/pod.ts';
import type { PolicySide } from '../model/policy.ts';
import { PROTOCOLS, type Protocol, type Transport } from '../net/port.ts';
import type { PodsEnd, Profile } from './ends.ts';

/** Ports of one transport, from first to last. Both are 0 for ICMP. */
export interface PortRange {
  readonly protocol: Transport;
  readonly first: number;
  readonly last: number;
}

const HIGHEST = 65535;

/** Where the rules of some policies begin and end ranges of ports. Equal ids, equal bounds. */
interface Bounds {
  readonly id: number;
  readonly of: Readonly<Record<Protocol, readonly number[]>>;
}

/** The ranges of ports that policies tell apart. Asked for pair after pair, and made once for each set of bounds. */
export class PortCuts {
  readonly #ofProfile = new Map<Profile, Map<string, Bounds>>();
  readonly #ofRanges = new Map<string, Bounds>();
  readonly #cuts = new Map<string, readonly PortRange[]>();

  /**
   * Every port of every transport, in ranges within which the profiles decide alike towards the destination.
   * @param destination the pods that named ports are looked up on; undefined for an address.
   */
  between(profiles: readonly Profile[], destination: PodsEnd | undefined): readonly PortRange[] {
    const bounds = profiles.map((profile) => this.#boundsOf(profile, destination));
    const key = bounds.map(({ id }) => id).join();
    const cuts = this.#cuts.get(key) ?? cutsAt(bounds);
    this.#cuts.set(key, cuts);
    return cuts;
  }

  #boundsOf(profile: Profile, destination: PodsEnd | undefined): Bounds {
    const ofNames = this.#ofProfile.get(profile) ?? new Map<string, Bounds>();
    this.#ofProfile.set(profile, ofNames);
    const names = destination?.portNames ?? '';
    const known = ofNames.get(names);
    if (known) return known;
    const [pair] = destination?.pods ?? [];
    const ranges = profile.sides.flatMap((side) => rangesOf(side, pair ? [pair.before, pair.after] : []));
    const boundsIn = (protocol: Protocol): number[] => {
      const own = ranges.filter((range) => range.protocol === protocol);
      return [...new Set(own.flatMap(({ first, last }) => [first, last + 1]))].sort(ascending);
    };
    const of = { TCP: boundsIn('TCP'), UDP: boundsIn('UDP'), SCTP: boundsIn('SCTP') };
    const text = JSON.stringify(of);
    const bounds = this.#ofRanges.get(text) ?? { id: this.#ofRanges.size, of };
    this.#ofRanges.set(text, bounds);
    ofNames.set(names, bounds);
    return bounds;
  }
}

function cutsAt(bounds: readonly Bounds[]): PortRange[] {
  const cuts = PROTOCOLS.flatMap((protocol) => {
    const all = new Set([1, ...bounds.flatMap(({ of }) => of[protocol])]);
    const starts = [...all].filter((start) => start <= HIGHEST).sort(ascending);
    return starts.map((first, index) => ({ protocol, first, last: (starts[index + 1] ?? HIGHEST + 1) - 1 }));
  });
  return [...cuts, { protocol: 'ICMP', first: 0, last: 0 }];
}

function ascending(one: number, other: number): number {
  return one - other;
}

/** The ranges with those that touch put together. */
export function joined(ranges: readonly PortRange[]): PortRange[] {
  const whole: PortRange[] = [];
  for (const range of ranges) {
    const before = whole.at(-1);
    if (before?.protocol === range.protocol && before.last + 1 === range.first) {
      whole.splice(-1, 1, { ...before, last: range.last });
    } else whole.push(range);
  }
  return whole;
}

/** `80/TCP, 8000-8010/TCP`; `TCP` for all of it, `every port` for all there is. */
export function portsText(ranges: readonly PortRange[]): string {
  const wholes = ranges.filter(({ first, last }) => last === HIGHEST && first === 1);
  const all = ranges.length === PROTOCOLS.length + 1 && wholes.length === PROTOCOLS.length;
  return all ? 'every port' : ranges.map(rangeText).join(', ');
}

function rangeText({ protocol, first, last }: PortRange): string {
  if (protocol === 'ICMP' || (first === 1 && last === HIGHEST)) return protocol;
  return `${first === last ? first : `${first}-${last}`}/${protocol}`;
}

function rangesOf(
  side: PolicySide,
  destinations: readonly Pod[],
): { protocol: Protocol; first: number; last: number }[] {
  const items = (side.kind === 'isolates' ? side.rules : []).flatMap(({ ports }) =>
    ports.kind === 'list' ? ports.ports : [],
  );
  return items.flatMap(({ protocol, port }) => {
    switch (port.kind) {
      case 'any':
        return [];
      case 'range':
        return [{ protocol, first: port.first, last: port.last }];
      case 'named':
        return destinations.flatMap((pod) => {
          const number = namedPort(pod, port.name, protocol);
          return number === undefined ? [] : [{ protocol, first: number, last: number }];
        });
    }
  });
}
