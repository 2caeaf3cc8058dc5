import { vi } from 'vitest';
import { ContainerTestLab } from '../container/container-lab-fixture.ts';
import { ISOLATION_CASES } from './isolation-cases.ts';
import { patient } from './patient-lab.ts';
import { runConformance } from './suite.ts';

vi.setConfig({ testTimeout: 180_000 });

runConformance('podns-relay', async (spec) => patient(await ContainerTestLab.start(spec, 'relay')), ISOLATION_CASES, 1);
