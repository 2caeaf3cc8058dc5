import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './summary-reporter.ts';

/** Folders whose tests start namespaces, processes or npm: they wait for other programs. */
const SLOW = ['test/{conformance,dataplane,e2e,packaging}/**/*.test.ts'];

/** Tests that make network namespaces in their own process. */
const FOR_ROOT = ['test/dataplane/{dataplane,libc,pod-gate,services,swap}.test.ts'];
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn(`left out for an ordinary user: ${FOR_ROOT.join(' ')} (run npm test as root for these)`);

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    pool: 'forks', // koffi and setns work on a process, not on a worker thread
    maxWorkers: 2, // a test of the data plane is several busy processes already
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        extends: true,
        test: { name: 'quick', include: ['test/**/*.test.ts'], exclude: SLOW, testTimeout: 20_000 },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          include: SLOW,
          exclude: isRoot ? [] : FOR_ROOT,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 }, // after the quick ones, so that those do not disturb its timings
        },
      },
    ],
  },
});
