import { describe, expect, test } from 'vitest';
import { FlowBatch, readFlows } from '../../src/dataplane/flow-record.ts';
import { RepeatFilter } from '../../src/dataplane/repeat-filter.ts';
import { emptyHeader, type PacketHeader } from '../../src/net/packet.ts';
import { ip } from '../builders/address.ts';
import { toBytes } from '../../src/net/ip.ts';

const JUDGEMENT = { timeMs: 1_700_000_000_123, bits: 2, tableVersion: 7 };

/** Source, destination, then eight bytes of transport header, the last four a sequence number. */
function packet(source: string, destination: string, change: Partial<PacketHeader> & { sequence?: number } = {}) {
  const addresses = [...toBytes(ip(source).words), ...toBytes(ip(destination).words)];
  const bytes = Uint8Array.from([...addresses, 0, 0, 0, 0, 0, 0, 0, change.sequence ?? 0]);
  const family = ip(source).family;
  const layout = { family, sourceAt: 0, destinationAt: addresses.length / 2, transportAt: addresses.length };
  const header = { ...emptyHeader(), ...layout, ipProtocol: 6, sourcePort: 40000, destinationPort: 443, ...change };
  return { bytes, header };
}

test.each([
  { name: 'IPv4', source: '10.0.0.1', destination: '255.1.2.3' },
  { name: 'IPv6', source: 'fd00::1', destination: 'fd00:1:2:3:4:5:6:ffff' },
])('a record survives its way between threads: $name', ({ source, destination }) => {
  const batch = new FlowBatch(2);
  const { bytes, header } = packet(source, destination, { ipProtocol: 17 });
  batch.add(bytes, header, JUDGEMENT);
  expect(batch.room).toBe(1);
  const expected = { source: ip(source), destination: ip(destination), transport: 'UDP', sourcePort: 40000 };
  expect(readFlows(batch.take())).toEqual([{ ...JUDGEMENT, ...expected, destinationPort: 443 }]);
  expect(batch.room).toBe(2);
  expect(readFlows(batch.take())).toEqual([]);
});

describe('what counts as sent again', () => {
  const first = packet('10.0.0.1', '10.0.0.2');
  test.each([
    { name: 'the same SYN a second later', again: first, later: 1000, repeat: true },
    { name: 'the same SYN after its last retry', again: first, later: 200_000, repeat: false },
    {
      name: 'the same ports, another sequence number',
      again: packet('10.0.0.1', '10.0.0.2', { sequence: 1 }),
      later: 1,
      repeat: false,
    },
    { name: 'another source', again: packet('10.0.0.3', '10.0.0.2'), later: 1, repeat: false },
    {
      name: 'another destination port',
      again: packet('10.0.0.1', '10.0.0.2', { destinationPort: 80 }),
      later: 1,
      repeat: false,
    },
    {
      name: 'the same ports over UDP',
      again: packet('10.0.0.1', '10.0.0.2', { ipProtocol: 17 }),
      later: 1,
      repeat: false,
    },
  ])('$name: $repeat', ({ again, later, repeat }) => {
    const filter = new RepeatFilter();
    expect(filter.isRepeat(first.bytes, first.header, JUDGEMENT)).toBe(false);
    const judgement = { ...JUDGEMENT, timeMs: JUDGEMENT.timeMs + later };
    expect(filter.isRepeat(again.bytes, again.header, judgement)).toBe(repeat);
  });

  test('another table judges anew, and so does a datagram after a while', () => {
    const filter = new RepeatFilter();
    const datagram = packet('10.0.0.1', '10.0.0.2', { ipProtocol: 17 });
    const seen = (change: Partial<typeof JUDGEMENT>) =>
      filter.isRepeat(datagram.bytes, datagram.header, { ...JUDGEMENT, ...change });
    expect([seen({}), seen({}), seen({ tableVersion: 8 }), seen({ timeMs: JUDGEMENT.timeMs + 6000 })]).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });
});
