import { TestLab } from './lab-fixture.ts';
import { PODS, runTight } from './tight.ts';

const CYCLES = Number(process.env.NETPOL_LAB_CYCLES ?? 1000);

runTight({ cycles: CYCLES, exposureMs: 6, underWayMs: 0 }, () =>
  TestLab.start({ name: 'tight', files: [{ path: 'pods.yaml', text: PODS }] }),
);
