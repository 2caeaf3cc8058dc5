// Opens 100,000 connections through a relay, or as many as its argument says, and prints what they met:
//   node test/dataplane/relay-soak-program.ts 100000
// Exit code 1 if there was a fault. Needs root.
import { RelayFixture } from './relay-fixture.ts';
import { soak } from './soak.ts';

await using fixture = await RelayFixture.start();
const started = performance.now();
const report = await soak(fixture, Number(process.argv[2] ?? 100_000));
const seconds = Math.round((performance.now() - started) / 1000);
const { faults, oddRecords, orphans, leftOpen } = report;
console.log(JSON.stringify({ ...report, seconds }, null, 2));
if (faults.length + oddRecords.length + orphans + leftOpen.length > 0) process.exitCode = 1;
