import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { GateControl } from '../../src/dataplane/gate-control.ts';

describe('GateControl', () => {
  test('nothing is waited for while no packets are judged', () => {
    const control = new GateControl();
    control.publish(2);
    expect(control.awaitQuiet(2, 0)).toBe(true);
  });

  test('a batch of the old version is waited for, no longer than asked', () => {
    const control = new GateControl();
    control.publish(1);
    expect(control.begin()).toBe(1);
    control.publish(2);
    expect(control.awaitQuiet(2, 1)).toBe(false);
    control.rest();
    expect(control.awaitQuiet(2, 0)).toBe(true);
  });

  test('a batch that began with the new version is not waited for', () => {
    const control = new GateControl();
    control.publish(1);
    expect(control.begin()).toBe(1);
    control.publish(2);
    expect(control.begin()).toBe(2);
    expect(control.awaitQuiet(2, 0)).toBe(true);
  });

  test('a marker is waited for, no longer than asked, also past the last of 32 bits', () => {
    const control = new GateControl();
    expect(control.awaitMarker(1, 1)).toBe(false);
    control.reached(2);
    expect(control.awaitMarker(1, 0)).toBe(true);
    expect(control.awaitMarker(3, 1)).toBe(false);
    control.reached(2 ** 31 - 1);
    expect(control.awaitMarker(-(2 ** 31), 1)).toBe(false);
    control.reached(-(2 ** 31));
    expect(control.awaitMarker(2 ** 31 - 1, 0)).toBe(true);
  });

  test('stop is seen through the shared memory', () => {
    const control = new GateControl();
    const other = new GateControl(control.buffer);
    expect(other.stopping).toBe(false);
    control.stop();
    expect(other.stopping).toBe(true);
  });

  test('no batch of an old version is under way once a swap has returned', async () => {
    const control = new GateControl();
    control.publish(1);
    // Words: the version whose swap has returned, and how often a batch met one newer than its own; batches.
    const shared = new Int32Array(new SharedArrayBuffer(12));
    const source = `
      import { workerData } from 'node:worker_threads';
      const { GateControl } = await import(workerData.module);
      const control = new GateControl(workerData.control);
      const shared = new Int32Array(workerData.shared);
      while (!control.stopping) {
        const version = control.begin();
        for (let packet = 0; packet < 3; packet++) if (Atomics.load(shared, 0) > version) Atomics.add(shared, 1, 1);
        control.rest();
        if (Atomics.add(shared, 2, 1) === 0) Atomics.notify(shared, 2);
      }`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
      workerData: {
        module: new URL('../../src/dataplane/gate-control.ts', import.meta.url).href,
        control: control.buffer,
        shared: shared.buffer,
      },
    });
    Atomics.wait(shared, 2, 0);
    for (let version = 2; version < 200_000; version++) {
      control.publish(version);
      if (!control.awaitQuiet(version, 2000)) throw new Error('the other thread hangs');
      Atomics.store(shared, 0, version);
    }
    control.stop();
    await once(worker, 'exit');
    expect(Atomics.load(shared, 1)).toBe(0);
  });
});
