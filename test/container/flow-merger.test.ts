import { expect, test } from 'vitest';
import { FlowMerger, type MergedFlow } from '../../src/container/flow-merger.ts';
import type { JudgedFlow } from '../../src/container/messages.ts';

const ALLOWED = { verdict: 'allow', isolated: false, policies: [] } as const;
const DENIED = { verdict: 'deny', isolated: true, policies: [] } as const;
const PREDICTED = { verdict: 'allow', isolated: true, policies: [] } as const;

function judged(side: JudgedFlow['side'], change: Partial<JudgedFlow> = {}): JudgedFlow {
  const ends = { source: '10.244.0.2', destination: '10.244.0.3', sourcePort: 4000, port: 80 };
  return { timeMs: 1, protocol: 'TCP', ...ends, side, report: ALLOWED, carried: null, ...change };
}

/** What comes out of a merger in which addresses 10.244.* have proxies. */
function merge(...flows: readonly JudgedFlow[]): { emitted: MergedFlow[]; next: () => Promise<MergedFlow> } {
  const emitted: MergedFlow[] = [];
  let notice: (flow: MergedFlow) => void = () => undefined;
  const merger = new FlowMerger({
    hasProxy: (address) => address.startsWith('10.244.'),
    predict: () => PREDICTED,
    emit: (flow) => {
      emitted.push(flow);
      notice(flow);
    },
  });
  for (const flow of flows) merger.add(flow);
  return { emitted, next: () => new Promise((resolve) => (notice = resolve)) };
}

test.each([
  ['egress first', ['egress', 'ingress']],
  ['ingress first', ['ingress', 'egress']],
] as const)('a connection that both ends judged is one, %s', (_, sides) => {
  const flows = sides.map((side) => judged(side, side === 'ingress' ? { report: DENIED } : {}));
  const { emitted } = merge(...flows);
  expect(emitted).toEqual([expect.objectContaining({ verdict: 'deny', egress: ALLOWED, ingress: DENIED })]);
});

test.each([
  ['denied as it leaves', judged('egress', { report: DENIED }), 'deny'],
  ['to an address outside', judged('egress', { destination: '198.51.100.1' }), 'allow'],
  ['from an address outside', judged('ingress', { source: '198.51.100.1' }), 'allow'],
  ['to itself', judged('egress', { destination: '10.244.0.2' }), 'allow'],
])('nobody else judges a connection %s', (_, flow, verdict) => {
  const { emitted } = merge(flow);
  expect(emitted).toEqual([expect.objectContaining({ verdict })]);
  expect(emitted[0]?.[flow.side === 'egress' ? 'ingress' : 'egress']).toBe(PREDICTED);
});

test('a packet that the other end never sees is told all the same', async () => {
  const { emitted, next } = merge(judged('egress'));
  expect(emitted).toEqual([]);
  expect(await next()).toMatchObject({ verdict: 'allow', egress: ALLOWED, ingress: PREDICTED });
});

test('another try from the same port is another connection', () => {
  const { emitted } = merge(judged('egress', { timeMs: 1 }), judged('egress', { timeMs: 2 }), judged('ingress'));
  expect(emitted.map(({ timeMs }) => timeMs)).toEqual([1, 2]);
});

test('the end of a connection is told by itself, behind its beginning', async () => {
  const carried = { durationMs: 5, sentBytes: 1, receivedBytes: 2, datagrams: 0, end: 'closed' } as const;
  const { emitted, next } = merge(judged('egress'), judged('egress', { timeMs: 6, carried }), judged('ingress'));
  expect(emitted).toEqual([expect.objectContaining({ timeMs: 1, carried: null })]);
  expect(await next()).toMatchObject({ timeMs: 6, egress: ALLOWED, ingress: PREDICTED, carried });
});
