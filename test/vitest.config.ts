import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './summary-reporter.ts';

/** Folders whose tests start namespaces, processes or npm: they wait for other programs. */
const SLOW = ['test/{bench,conformance,container,dataplane,e2e,packaging}/**/*.test.ts'];

/** Tests that make network namespaces in their own process. */
const FOR_ROOT = [
  'test/bench/dataplane-bench.test.ts',
  'test/conformance/{podns,podns-relay}.test.ts',
  'test/container/**/*.test.ts',
  'test/dataplane/{dataplane,libc,pod-gate,relay,relay-fidelity,services,swap}.test.ts',
];
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn(`left out for an ordinary user: ${FOR_ROOT.join(' ')} (run npm test as root for these)`);

/** Tests with containers, in the engine that test/docker/engine.sh finds or starts. */
const IN_CONTAINERS = ['test/docker/**/*.test.ts'];
// Where an engine can be started, not having one is a failure.
const leavesContainersOut =
  (process.env.NETPOL_LAB_ENGINE ?? 'none') === 'none' && !isRoot && process.env.CI !== 'true';
if (leavesContainersOut) console.warn(`left out, as no Docker engine answers: ${IN_CONTAINERS.join(' ')}`);

// Outside of those, tests see no labs in containers, whatever runs on this machine.
const NO_ENGINE = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' };

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    pool: 'forks', // koffi and setns work on a process, not on a worker thread
    maxWorkers: 2, // a test of the data plane is several busy processes already
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: [...SLOW, ...IN_CONTAINERS],
          env: NO_ENGINE,
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          include: SLOW,
          exclude: isRoot ? [] : FOR_ROOT,
          env: NO_ENGINE,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 }, // after the quick ones, so that those do not disturb its timings
        },
      },
      {
        extends: true,
        test: {
          name: 'docker',
          include: leavesContainersOut ? [] : IN_CONTAINERS,
          globalSetup: 'test/docker/image-setup.ts',
          setupFiles: 'test/docker/network-setup.ts',
          env: { TESTCONTAINERS_RYUK_DISABLED: 'true' }, // its image would have to be pulled; the tests remove what they make
          fileParallelism: false, // two cores start few containers at once; compose files that run by themselves have the same addresses
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
