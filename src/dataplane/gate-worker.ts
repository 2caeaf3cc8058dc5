import { parentPort, workerData } from 'node:worker_threads';
import { Epoll, EPOLL } from './epoll.ts';
import { GateLoop, REPORT_MS, type GateLoopData } from './gate-loop.ts';
import { Yielding } from './yielding.ts';

// How soon it sees that it is to stop, should nothing else wake it.
const PATIENCE_MS = 200;

const data = workerData as GateLoopData;
const gate = new GateLoop(data);
const yielding = new Yielding();
const epoll = new Epoll();
epoll.add(data.socket, EPOLL.IN, 0, 0);
parentPort?.postMessage('ready');
let reportedMs = 0;
while (!gate.stopping) {
  const hasJudged = gate.turn() || (yielding.yield() && gate.turn());
  if (!hasJudged) epoll.wait(gate.hasRecords ? REPORT_MS : PATIENCE_MS);
  const timeMs = Date.now();
  if (timeMs - reportedMs < REPORT_MS) continue;
  reportedMs = timeMs;
  gate.report();
}
gate.report();
