import { vi } from 'vitest';
import { ContainerTestLab } from '../container/container-lab-fixture.ts';
import { ISOLATION_CASES } from './isolation-cases.ts';
import { RELAYED_TIMEOUT_MS, runConformance } from './suite.ts';

vi.setConfig({ testTimeout: 180_000 });

runConformance('podns-relay', (spec) => ContainerTestLab.start(spec, 'relay'), ISOLATION_CASES, {
  labs: 2,
  timeoutMs: RELAYED_TIMEOUT_MS,
});
