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
  expect(flowLine({ ...EVENT, via: 'default/gateway' }, false)).toMatch(`${connection} via default/gateway  no policy`);
  expect(flowLine({ ...EVENT, carried: CARRIED }, false)).toBe(
    `03:04:05.678 closed  TCP  ${connection}  120 bytes sent, 5 received in 1.222 s`,
  );
  const idle = { ...CARRIED, datagrams: 3, receivedBytes: 0, end: 'idle' } as const;
  expect(flowLine({ ...EVENT, protocol: 'UDP', carried: idle }, false)).toBe(
    `03:04:05.678 idle    UDP  ${connection}  3 datagrams, 120 bytes sent in 1.222 s`,
  );
});

test('a denial names the nearest miss, unless the policy has no rules to miss', () => {
  const place = { namespace: 'default', name: 'allow-web', file: 'allow.yaml', line: 9 };
  const text = 'default/client has app=fronted, rule wants app=frontend';
  const policies = [{ ...place, rule: null, line: 1 }];
  const nearest = { ...place, direction: 'ingress', rule: 0, differences: [{ kind: 'icmp', text }] } as const;
  const denied = (rule: number | null): string => {
    const ingress = { verdict: 'deny', isolated: true, policies, nearest: { ...nearest, rule } } as const;
    return flowLine({ ...EVENT, verdict: 'deny', ingress }, false);
  };
  const reason = 'ingress denied: isolated by default/allow-web (allow.yaml:1), no rule matches';
  expect(denied(0)).toContain(`  ${reason}; nearest: default/allow-web ingress[0] (allow.yaml:9): ${text}`);
  expect(denied(null)).toContain(reason);
  expect(denied(null)).not.toContain('nearest');
});
