import { parentPort, workerData } from 'node:worker_threads';
import { GateLoop, type GateLoopData } from './gate-loop.ts';

const gate = new GateLoop(workerData as GateLoopData);
parentPort?.postMessage('ready');
while (!gate.stopping) {
  if (gate.turn(false) > 0) continue;
  // Nothing waits, so there is time to report; under load reports go out in larger batches.
  gate.report();
  gate.turn(true);
}
gate.report();
