import { release } from 'node:os';
import { expect, test } from 'vitest';
import { servedKind } from '../../src/apiserver/registry.ts';
import { given } from '../builders/given.ts';
import { PlaneFixture } from './plane-fixture.ts';

test('the node has what the machine has, and says what it runs', async () => {
  const { plane } = await PlaneFixture.start();
  const { status } = given(plane.store.objects.get(servedKind('v1', 'Node'), '', 'node'), 'a node');
  const capacity = {
    cpu: expect.stringMatching(/^[1-9]\d*$/) as string,
    memory: expect.stringMatching(/^[1-9]\d*Ki$/) as string,
    pods: '110',
  };
  expect(status).toMatchObject({
    capacity,
    allocatable: capacity,
    nodeInfo: {
      architecture: expect.stringMatching(/^\w+$/) as string,
      containerRuntimeVersion: expect.stringMatching(/^netpol-lab:\/\/\d+\.\d+\.\d+$/) as string,
      kernelVersion: release(),
      kubeletVersion: 'v1.32.0+netpol-lab',
      operatingSystem: 'linux',
      osImage: expect.stringMatching(/./) as string,
    },
  });
});
