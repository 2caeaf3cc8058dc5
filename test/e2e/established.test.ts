import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { DEFAULT_OPTIONS, type LabOptions } from '../../src/lab/lab-client.ts';
import { monotonicNs } from './attempt.ts';
import { podManifest, policyManifest, TestLab } from './lab-fixture.ts';
import type { Talked } from './talk-program.ts';

const PODS = podManifest('default/client') + podManifest('default/server');
const DENY = policyManifest('default/deny', '{ podSelector: {}, policyTypes: [Ingress] }');
const TALK_MS = 500; // how long they talk on: dozens of messages

const CASES: readonly { established: LabOptions['established']; protocol: 'TCP' | 'UDP'; goesOn: boolean }[] = [
  { established: 'keep', protocol: 'TCP', goesOn: true },
  { established: 'keep', protocol: 'UDP', goesOn: false },
  { established: 'strict', protocol: 'TCP', goesOn: false },
  { established: 'strict', protocol: 'UDP', goesOn: false },
];

describe.each([4, 6] as const)('when a deny is applied, IPv%i', (family) => {
  test.each(CASES)('$established: whether an open $protocol flow goes on: $goesOn', async (each) => {
    const { established, protocol, goesOn } = each;
    await using lab = await TestLab.start({
      name: `established-${established}`,
      files: [{ path: 'pods.yaml', text: PODS }],
      options: { ...DEFAULT_OPTIONS, established },
    });
    const address = lab.address('default/server', family);
    await lab.run('default/server', './echo-program.ts', { tcp: [80], udp: [80] });
    const talk = await lab.run('default/client', './talk-program.ts', { protocol, address, port: 80 });
    await lab.apply(DENY);
    const deniedNs = monotonicNs();
    const from = lab.address('default/client', family);
    const [probe] = await lab.client.probe([{ from, to: address, protocol, port: 80, timeoutMs: TALK_MS }]);
    const deletedNs = monotonicNs();
    await lab.deletePolicy('default/deny');
    const [later] = await lab.client.probe([{ from, to: address, protocol, port: 80, timeoutMs: 5000 }]);
    if (protocol === 'UDP') await delay(TALK_MS); // its messages pass again, on the same port
    const echoed = await talk.finish<Talked[]>();

    expect(probe?.outcome).toBe('timeout');
    expect(later?.outcome).toBe('connected');
    expect(echoed.filter(({ endNs }) => endNs < deniedNs).length).toBeGreaterThan(0);
    // What strict holds back of a TCP stream may be sent again, and pass, once the policy is gone.
    if (protocol === 'UDP' || goesOn) {
      const during = echoed.filter(({ beginNs, endNs }) => beginNs > deniedNs && endNs < deletedNs).length;
      if (goesOn) expect(during).toBeGreaterThan(5);
      else expect(during).toBe(0);
    }
    if (protocol === 'UDP') expect(echoed.filter(({ beginNs }) => beginNs > deletedNs).length).toBeGreaterThan(0);
  });
});

test('strict: not a byte more comes over an open TCP connection', async () => {
  await using lab = await TestLab.start({
    name: 'established-cut',
    files: [{ path: 'pods.yaml', text: PODS }],
    options: { ...DEFAULT_OPTIONS, established: 'strict' },
  });
  const address = lab.address('default/server');
  await lab.run('default/server', './echo-program.ts', { tcp: [80] });
  const talk = await lab.run('default/client', './talk-program.ts', { protocol: 'TCP', address, port: 80 });
  await lab.apply(DENY);
  const deniedNs = monotonicNs();
  await delay(TALK_MS);
  const echoed = await talk.finish<Talked[]>();
  expect(echoed.length).toBeGreaterThan(0);
  expect(echoed.filter(({ beginNs }) => beginNs > deniedNs)).toEqual([]);
});
