import { expect, test } from 'vitest';
import { podManifest, policyManifest } from '../e2e/lab-fixture.ts';
import { PODS, runTight } from '../e2e/tight.ts';
import { ContainerTestLab } from './container-lab-fixture.ts';

const CYCLES = Number(process.env.NETPOL_LAB_CYCLES ?? 100);
const SYNS = Number(process.env.NETPOL_LAB_SYNS ?? 20_000);

// A packet that the server's gate is to deny waits in the client's queue first, on a busy machine for some milliseconds.
runTight({ cycles: CYCLES, exposureMs: 60, underWayMs: 40 }, () =>
  ContainerTestLab.start({ name: 'tight', files: [{ path: 'pods.yaml', text: PODS }] }),
);

test(`of ${SYNS} SYNs to a denied port, more than the queue holds, none passes`, { timeout: 120_000 }, async () => {
  const pods = podManifest('x/client') + podManifest('x/server');
  await using lab = await ContainerTestLab.start({ name: 'flood', files: [{ path: 'pods.yaml', text: pods }] });
  const server = await lab.run('x/server', 'echo-program.ts', { tcp: [80], udp: [53] });
  await lab.apply(policyManifest('x/deny', '{ podSelector: {}, ingress: [{ ports: [{ port: 81 }] }] }'));
  const order = { address: lab.address('x/server', 4), port: 80, datagrams: 50_000, syns: SYNS };
  const flood = await lab.run('x/client', 'flood-program.ts', order);
  expect(await flood.finish<number>()).toBe(0);
  expect(await server.finish<string[]>()).toEqual([]);
});
