import { expect, test, vi } from 'vitest';
import { HEADER } from '../../src/table/layout.ts';
import { LiveTable } from '../../src/table/live-table.ts';
import { runSequence } from './change-sequence.ts';

const SEQUENCES = Number(process.env.NETPOL_LAB_SEQUENCES ?? 40);
const SEED = Number(process.env.NETPOL_LAB_SEED ?? 20_260_101);

// Random clusters are small, and small tables are flat: here none is.
vi.mock(import('../../src/table/layout.ts'), async (original) => ({ ...(await original()), FLAT_BLOCKS: 0 as never }));

test(
  `after any changes a table with rows of blocks is that of the cluster (NETPOL_LAB_SEED=${SEED})`,
  { timeout: 60_000 + 500 * SEQUENCES },
  () => {
    expect(new Int32Array(new LiveTable().buffer)[HEADER.flat]).toBe(0);
    for (let sequence = 0; sequence < SEQUENCES; sequence += 1) runSequence(SEED + sequence);
  },
);
