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

  test('stop is seen through the shared memory', () => {
    const control = new GateControl();
    const other = new GateControl(control.buffer);
    expect(other.stopping).toBe(false);
    control.stop();
    expect(other.stopping).toBe(true);
  });

  test('no batch of an old version ends after a swap has returned, under load', async () => {
    const control = new GateControl();
    control.publish(1);
    // The other thread writes down the version of each batch while it judges, as the gate's thread does.
    const ended = new Int32Array(new SharedArrayBuffer(4));
    const source = `
      import { workerData } from 'node:worker_threads';
      const { GateControl } = await import(workerData.module);
      const control = new GateControl(workerData.control);
      const ended = new Int32Array(workerData.ended);
      while (!control.stopping) {
        for (let batch = 0; batch < 100; batch++) {
          const version = control.begin();
          Atomics.store(ended, 0, version);
          control.rest();
        }
      }`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
      workerData: {
        module: new URL('../../src/dataplane/gate-control.ts', import.meta.url).href,
        control: control.buffer,
        ended: ended.buffer,
      },
    });
    await once(worker, 'online');
    let last = 0;
    for (let version = 2; version < 20_000; version++) {
      control.publish(version);
      expect(control.awaitQuiet(version, 2000)).toBe(true);
      last = Atomics.load(ended, 0);
      // What ended before is of any version; from now on nothing older may be written.
      Atomics.compareExchange(ended, 0, last, version);
      const seen = Atomics.load(ended, 0);
      if (seen < version) throw new Error(`a batch of version ${seen} ended after ${version} was in force`);
    }
    control.stop();
    await once(worker, 'exit');
  });
});
