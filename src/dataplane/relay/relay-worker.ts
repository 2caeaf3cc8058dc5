import { parentPort, workerData } from 'node:worker_threads';
import type { GateLoopData } from '../gate-loop.ts';
import { RelayLoop, type RelayLoopData } from './relay-loop.ts';

const { gate, relay } = workerData as { gate: GateLoopData; relay: RelayLoopData };
const loop = new RelayLoop(gate, relay);
parentPort?.postMessage('ready');
loop.run();
