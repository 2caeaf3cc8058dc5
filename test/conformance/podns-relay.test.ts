import { vi } from 'vitest';
import type { LabSpec } from '../../src/lab/lab-client.ts';
import { ContainerTestLab } from '../container/container-lab-fixture.ts';
import { ISOLATION_CASES } from './isolation-cases.ts';
import { runConformance, type BackendLab } from './suite.ts';

// Hundreds of connections at once, each through a relay: on a busy machine one may wait longer than a second.
const PATIENCE_MS = 4000;
vi.setConfig({ testTimeout: 180_000 });

async function relayed(spec: LabSpec): Promise<BackendLab> {
  const lab = await ContainerTestLab.start(spec, 'relay');
  const { client } = lab;
  return {
    client: {
      status: () => client.status(),
      apply: (files) => client.apply(files),
      delete: (...args) => client.delete(...args),
      label: (...args) => client.label(...args),
      probe: (requests) => client.probe(requests.map((each) => ({ ...each, timeoutMs: PATIENCE_MS }))),
      explain: (question) => client.explain(question),
    },
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

runConformance('podns-relay', relayed, ISOLATION_CASES, 1);
