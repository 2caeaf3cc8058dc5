import { expect, test } from 'vitest';
import type { FlowEvent } from '../../src/flows/flow-event.ts';
import { flowLine } from '../../src/report/flow-line.ts';

const SIDE = { verdict: 'allow', isolated: false, policies: [] } as const;
const EVENT: FlowEvent = {
  time: '2026-01-02T03:04:05.678Z',
  from: { name: 'default/client', address: '10.244.0.2' },
  to: { name: 'default/web', address: '10.244.0.3' },
  protocol: 'TCP',
  sourcePort: 4000,
  port: 80,
  verdict: 'allow',
  egress: SIDE,
  ingress: SIDE,
};
const CARRIED = { durationMs: 1222, sentBytes: 120, receivedBytes: 5, datagrams: 0, end: 'closed' } as const;

test('a beginning and an end, each on a line', () => {
  const connection = 'default/client (10.244.0.2:4000) -> default/web (10.244.0.3:80)';
  expect(flowLine(EVENT, false)).toMatch(`03:04:05.678 allowed TCP  ${connection}  `);
  expect(flowLine({ ...EVENT, carried: CARRIED }, false)).toBe(
    `03:04:05.678 closed  TCP  ${connection}  120 bytes sent, 5 received in 1.222 s`,
  );
  const idle = { ...CARRIED, datagrams: 3, receivedBytes: 0, end: 'idle' } as const;
  expect(flowLine({ ...EVENT, protocol: 'UDP', carried: idle }, false)).toBe(
    `03:04:05.678 idle    UDP  ${connection}  3 datagrams, 120 bytes sent in 1.222 s`,
  );
});
