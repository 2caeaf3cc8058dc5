import { expect, test } from 'vitest';
import type { EndedFlow } from '../../src/dataplane/relay/carried-flow.ts';
import { UdpFlows } from '../../src/dataplane/relay/udp-flows.ts';
import { emptyHeader, readPacket } from '../../src/net/packet.ts';

/** The beginning of an IPv4 datagram of 1,000 bytes, all headers counted. */
function datagram(sourcePort: number, port: number): { bytes: Uint8Array; header: ReturnType<typeof emptyHeader> } {
  const bytes = new Uint8Array(28);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, 1000);
  view.setUint8(9, 17);
  bytes.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
  view.setUint16(20, sourcePort);
  view.setUint16(22, port);
  const header = emptyHeader();
  expect(readPacket(bytes, 0, bytes.length, header)).toBe(true);
  return { bytes, header };
}

test('flows of one socket are counted apart, and end 30 s after their last datagram', () => {
  const ended: EndedFlow[] = [];
  const flows = new UdpFlows((flow) => ended.push(flow));
  const [one, other] = [datagram(4000, 53), datagram(4000, 54)];
  flows.count(one.bytes, 0, one.header, 1000);
  flows.count(other.bytes, 0, other.header, 1500);
  flows.count(one.bytes, 0, one.header, 21_000);
  flows.endIdle(31_499);
  expect(ended).toEqual([]);
  flows.endIdle(31_500);
  expect(ended).toMatchObject([
    { startMs: 1500, durationMs: 0, destinationPort: 54, datagrams: 1, sentBytes: 1000, end: 'idle' },
  ]);
  flows.endIdle(51_000);
  expect(ended[1]).toMatchObject({
    startMs: 1000,
    durationMs: 20_000,
    destinationPort: 53,
    datagrams: 2,
    sentBytes: 2000,
  });
  expect(flows.size).toBe(0);
});

test('with too many flows, those that were quiet for longest end', () => {
  const ended: EndedFlow[] = [];
  const flows = new UdpFlows((flow) => ended.push(flow));
  for (let port = 1; port <= 20_000; port++) {
    const { bytes, header } = datagram(port, 53);
    flows.count(bytes, 0, header, port);
  }
  expect(flows.size + ended.length).toBe(20_000);
  expect(flows.size).toBeLessThanOrEqual(8192);
  expect(Math.max(...ended.map(({ startMs }) => startMs))).toBeLessThan(20_000 - flows.size + 1);
});
