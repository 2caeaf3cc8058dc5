import { describe, expect, test } from 'vitest';
import { gateRules, guardRules, serviceRules } from '../../src/dataplane/firewall.ts';
import { ip, portNumber } from '../builders/address.ts';

describe('rules', () => {
  test.each([4, 6] as const)('nothing bypasses the gate, IPv%i', (family) => {
    const rules = gateRules({ family, queue: 3 });
    const [mangle = ''] = rules.split('COMMIT');
    expect(rules).not.toContain('bypass');
    expect(mangle).toContain(':FORWARD DROP');
    expect(mangle.trim().split('\n').at(-1)).toBe('-A FORWARD -j NFQUEUE --queue-num 3');
    expect(mangle.indexOf('--syn')).toBeLessThan(mangle.indexOf('ESTABLISHED'));
    const accepting = mangle.split('\n').filter((rule) => rule.endsWith('-j ACCEPT'));
    expect(accepting).toHaveLength(2);
    for (const rule of accepting) expect(rule).toMatch(/ (! -p tcp|-p tcp ! --syn) .*--ctstate ESTABLISHED,RELATED /);
  });

  test('without pods nobody may send', () => {
    const rules = guardRules([]);
    expect(rules).toContain('policy drop');
    expect(rules).not.toContain('elements');
  });

  test('each pod may send from its own addresses', () => {
    const rules = guardRules([{ interface: 'pod1', addresses: [ip('10.0.0.1'), ip('fd00::1')] }]);
    expect(rules).toContain('set pods4 { type ifname . ipv4_addr; elements = { "pod1" . 10.0.0.1 }; }');
    expect(rules).toContain('set pods6 { type ifname . ipv6_addr; elements = { "pod1" . fd00::1 }; }');
  });

  test('a Service without endpoints has an address to be refused, and no translation', () => {
    const service = { address: ip('10.96.0.1'), protocol: 'TCP', port: portNumber(80), endpoints: [] } as const;
    const rules = serviceRules([service], { kind: 'node', addresses: [ip('10.99.0.1')] });
    expect(rules).toContain('set addresses4 { type ipv4_addr; elements = { 10.96.0.1 }; }');
    expect(rules).not.toContain('dnat');
  });
});
