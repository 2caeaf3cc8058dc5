import { describe, expect, test } from 'vitest';
import type { Transport } from '../../src/net/port.ts';
import { Arena } from '../../src/table/arena.ts';
import { PORT_SET } from '../../src/table/layout.ts';
import { PortClasses, portPlace, type PortRange } from '../../src/table/port-classes.ts';
import { PortSets } from '../../src/table/port-sets.ts';

const EVERY_PORT = Array.from({ length: 65535 }, (_, index) => tcp(index + 1));
const PROBES = [0, 1, 52, 53, 79, 80, 81, 442, 443, 8079, 8080, 8090, 8091, 65534, 65535];

describe('port classes', () => {
  test.each<{ name: string; ranges: PortRange[]; count: number }>([
    { name: 'one for each transport without ranges', ranges: [], count: 4 },
    { name: 'a port is one of its own', ranges: [tcp(80)], count: 6 },
    { name: 'the same port twice', ranges: [tcp(80), tcp(80)], count: 6 },
    { name: 'the same port of two protocols', ranges: [tcp(53), { ...tcp(53), protocol: 'UDP' }], count: 8 },
    { name: 'a range', ranges: [tcp(8080, 8090)], count: 6 },
    { name: 'overlapping ranges', ranges: [tcp(80, 8080), tcp(443, 8090)], count: 8 },
    { name: 'all ports of a protocol', ranges: [tcp(0, 65535)], count: 4 },
    { name: 'the last port', ranges: [tcp(65535)], count: 5 },
    { name: 'every port', ranges: EVERY_PORT, count: 65536 + 3 },
  ])('$name', ({ ranges, count }) => {
    expect(classify(ranges).count).toBe(count);
  });

  test.each<[Transport, number, Transport, number, boolean]>([
    ['TCP', 79, 'TCP', 1, true],
    ['TCP', 79, 'TCP', 80, false],
    ['TCP', 80, 'TCP', 90, true],
    ['TCP', 90, 'TCP', 91, false],
    ['TCP', 79, 'TCP', 91, false],
    ['TCP', 80, 'UDP', 80, false],
    ['ICMP', 0, 'ICMP', 65535, true],
    ['ICMP', 80, 'TCP', 80, false],
  ])('with 80-90/TCP: %s %i and %s %i are one: %s', (...[transport, port, otherTransport, otherPort, same]) => {
    const classes = classify([tcp(80, 90)]);
    expect(classes.of(transport, port) === classes.of(otherTransport, otherPort)).toBe(same);
  });
});

describe('port sets', () => {
  test.each<{ name: string; ranges: PortRange[]; extra?: PortRange[] }>([
    { name: 'nothing', ranges: [] },
    { name: 'a port', ranges: [tcp(80)] },
    { name: 'ports and ranges', ranges: [tcp(53), tcp(80, 443), tcp(8080, 8090)] },
    { name: 'two protocols', ranges: [tcp(80), { protocol: 'UDP', first: 53, last: 80 }] },
    { name: 'all of a protocol', ranges: [{ protocol: 'SCTP', first: 0, last: 65535 }] },
    { name: 'one among very many classes', ranges: [tcp(8080, 8090)], extra: EVERY_PORT },
  ])('hold what their ranges hold: $name', ({ ranges, extra = [] }) => {
    const arena = new Arena();
    const sets = new PortSets(arena);
    for (const set of [PortSets.none, PortSets.all]) sets.offsetOf(set);
    for (const each of [...extra.slice(0, 40_000)]) cut(sets.classes, each);
    const one = sets.of(ranges);
    sets.offsetOf(one);
    for (const each of extra) cut(sets.classes, each); // cuts classes that the set is known to hold
    const { classes } = sets;
    const united = ranges.map((range) => sets.of([range])).reduce((sum, next) => sets.union(sum, next), PortSets.none);
    expect(united).toBe(one);
    for (const transport of ['TCP', 'UDP', 'SCTP', 'ICMP'] as const) {
      for (const port of PROBES) {
        const want = ranges.some(
          ({ protocol, first, last }) => protocol === transport && first <= port && port <= last,
        );
        const portClass = classes.of(transport, port);
        expect([transport, port, holds(arena, sets.offsetOf(one), portClass)]).toEqual([transport, port, want]);
        expect(holds(arena, sets.offsetOf(PortSets.none), portClass)).toBe(false);
        expect(holds(arena, sets.offsetOf(PortSets.all), portClass)).toBe(true);
      }
    }
  });

  test('unions share the sets of equal ranges', () => {
    const sets = new PortSets(new Arena());
    const [first, second] = [sets.of([tcp(80)]), sets.of([tcp(443, 444)])];
    expect(sets.union(first, second)).toBe(sets.union(second, first));
    expect(sets.union(first, first)).toBe(first);
    expect(sets.union(PortSets.none, second)).toBe(second);
    expect(sets.union(second, PortSets.all)).toBe(PortSets.all);
    expect(sets.of([tcp(444), tcp(443), tcp(443)])).toBe(second);
  });
});

function tcp(first: number, last = first): PortRange {
  return { protocol: 'TCP', first, last };
}

function classify(ranges: readonly PortRange[]): PortClasses {
  const classes = new PortClasses(new Arena(), () => undefined);
  for (const range of ranges) cut(classes, range);
  return classes;
}

function cut(classes: PortClasses, { protocol, first, last }: PortRange): void {
  classes.cut(portPlace(protocol, first));
  classes.cut(portPlace(protocol, last) + 1);
}

function holds({ words }: Arena, set: number, portClass: number): boolean {
  const at = (offset: number): number => words[offset] ?? 0;
  const bit = (chunk: number): boolean => ((at(chunk + ((portClass >>> 5) & 31)) >>> (portClass & 31)) & 1) === 1;
  if (portClass < PORT_SET.direct) return bit(set);
  const list = at(set + PORT_SET.overflow);
  if (list <= 0) return list === -1;
  const index = Math.floor(portClass / PORT_SET.direct) - 1;
  const chunk = index < at(list) ? at(list + 1 + index) : 0;
  return chunk !== 0 && bit(chunk);
}
