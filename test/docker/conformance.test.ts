import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { ComposeLabClient } from '../../src/lab/compose/compose-client.ts';
import { startInContainers } from '../../src/lab/compose/start-compose.ts';
import type { LabOptions, LabSpec } from '../../src/lab/lab-client.ts';
import { CHANGE_CASES } from '../conformance/change-cases.ts';
import { ISOLATION_CASES } from '../conformance/isolation-cases.ts';
import { PEER_CASES } from '../conformance/peer-cases.ts';
import { PORT_CASES } from '../conformance/port-cases.ts';
import { RELAYED_TIMEOUT_MS, runConformance, type BackendLab } from '../conformance/suite.ts';

// Which peers and ports a rule matches is the table's to say, which is the same everywhere; so these cases show that
// both ends of a connection are judged. All cases, carried in both ways, with NETPOL_LAB_CONFORMANCE=all.
const isWhole = process.env.NETPOL_LAB_CONFORMANCE === 'all';
const CASES = isWhole ? [...ISOLATION_CASES, ...CHANGE_CASES, ...PEER_CASES, ...PORT_CASES] : ISOLATION_CASES;
const CARRIES = isWhole ? (['kernel', 'relay'] as const) : (['relay'] as const);
const LABS = 1; // more of ten pods each are too much for two cores

beforeAll(async () => {
  process.env.XDG_RUNTIME_DIR = await mkdtemp(join(tmpdir(), 'npl-'));
});

afterAll(() => rm(process.env.XDG_RUNTIME_DIR ?? '', { recursive: true }));

async function start(spec: LabSpec, carry: LabOptions['carry']): Promise<BackendLab> {
  await startInContainers({ ...spec, options: { ...spec.options, carry } }, 'lab', { onProgress: () => undefined });
  const client = new ComposeLabClient(spec.name);
  return { client, [Symbol.asyncDispose]: () => client.stop() };
}

for (const carry of CARRIES) {
  const timing = carry === 'relay' ? { timeoutMs: RELAYED_TIMEOUT_MS } : {};
  runConformance(`compose-${carry}`, (spec) => start(spec, carry), CASES, { labs: LABS, ...timing });
}
