import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ApiStore } from '../../apiserver/api-store.ts';
import { LabError } from '../../model/lab-error.ts';
import type { StartMessage, StartOrder } from '../start.ts';
import { FleetAccess } from './fleet-access.ts';
import { RunningLab } from './running-lab.ts';

// The process of one lab. It is started by startLab() in namespaces of its own, gets its order on
// standard input and tells on descriptor 3 how the start goes. Descriptor 4 listens on the host's
// loopback, which this process cannot reach. When it ends, the lab is gone.

const REPORT_FD = 3;
const API_FD = 4;

function tell(message: StartMessage): void {
  try {
    writeSync(REPORT_FD, `${JSON.stringify(message)}\n`);
  } catch {
    // The launcher no longer listens; the lab goes on.
  }
}

async function run(): Promise<void> {
  const order = JSON.parse(readFileSync(0, 'utf8')) as StartOrder;
  const serving = Promise.all([import('../control-plane/control-server.ts'), import('./lab-control.ts')]); // while the kernel works
  const onFailure = (error: Error): void => {
    console.error('the gate has ended, so the lab ends', error);
    process.exit(1);
  };
  const onProgress = (text: string): void => {
    tell({ kind: 'progress', text });
  };
  const store = await ApiStore.open(order.objects === null ? {} : { folder: order.objects });
  const lab = await RunningLab.start(order.spec, { folder: order.folder, store, onFailure, onProgress });
  const stop = (): void => void lab.stop().finally(() => process.exit(0));
  const [{ serveControl }, { LabControl }] = await serving;
  const { serveLabApi } = await import('../control-plane/lab-api.ts');
  const access = new FleetAccess(lab.fleet);
  const api = await serveLabApi(lab.plane, { fd: API_FD, kubeconfig: join(order.folder, 'kubeconfig'), access });
  const control = new LabControl(lab, { rootless: order.rootless, api });
  await serveControl({
    socket: join(order.folder, 'control.sock'),
    control,
    log: lab.log,
    admission: lab.admission,
    stop,
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
  tell({ kind: 'ready', status: control.status() });
}

run().catch((error: unknown) => {
  const problem =
    error instanceof LabError
      ? { code: error.code, message: error.message }
      : {
          code: 'environment',
          message: `the lab failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
        };
  tell({ kind: 'failed', problem });
  process.exit(1);
});
