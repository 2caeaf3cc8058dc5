import { describe, expect, test } from 'vitest';
import { Controllers } from '../../src/manifest/controllers.ts';
import { parseManifests } from '../../src/manifest/manifest.ts';
import { load, pod, workload } from './builders.ts';

describe('what a cluster has made of its workloads', () => {
  const made = (text: string, kind: string, name: string, controller = true): string =>
    text.replace(
      /(metadata: \{name: [-\w]+)/,
      `$1, ownerReferences: [{kind: ${kind}, name: ${name}, controller: ${controller}}]`,
    );
  const deployment = workload('Deployment', 'replicas: 2');
  const replicaSet = made(workload('ReplicaSet', 'replicas: 2'), 'Deployment', 'web').replace(
    'name: web',
    'name: web-1',
  );
  const cronJob =
    '{apiVersion: batch/v1, kind: CronJob, metadata: {name: tick}, spec: {schedule: "* * * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: c, image: i}]}}}}}}\n';
  const job = made(workload('Job', '', 'batch/v1').replace('name: web', 'name: tick-1'), 'CronJob', 'tick');
  const owners = (...texts: string[]): string[] => {
    const { cluster, issues } = load(texts.join('---\n'));
    expect(issues).toEqual([]);
    return cluster.pods.map(({ name, owner }) => `${owner.kind} ${owner.name}: ${name}`);
  };
  test.each([
    [
      'a Deployment',
      [deployment, replicaSet, made(pod('web-1-a'), 'ReplicaSet', 'web-1')],
      ['Deployment web: web-1-a'],
    ],
    [
      'a Deployment behind its pod',
      [made(pod('web-1-a'), 'ReplicaSet', 'web-1'), replicaSet, deployment],
      ['Deployment web: web-1-a'],
    ],
    ['a StatefulSet', [workload('StatefulSet'), made(pod('web-0'), 'StatefulSet', 'web')], ['StatefulSet web: web-0']],
    ['a CronJob', [cronJob, job, made(pod('tick-1-a'), 'Job', 'tick-1')], ['CronJob tick: tick-1-a']],
    ['a pod whose workload is not there', [made(pod('web-1-a'), 'ReplicaSet', 'web-1')], ['Pod web-1-a: web-1-a']],
    [
      'a pod that a pod has made',
      [pod('driver'), made(pod('executor'), 'Pod', 'driver')],
      ['Pod driver: driver', 'Pod executor: executor'],
    ],
    [
      'a Service that names a StatefulSet',
      [
        workload('StatefulSet'),
        made(
          '{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 1}]}}\n',
          'StatefulSet',
          'web',
        ),
      ],
      ['StatefulSet web: web-0'],
    ],
    [
      'an owner that is no controller',
      [workload('StatefulSet'), made(pod('a'), 'StatefulSet', 'web', false)],
      ['StatefulSet web: web-0', 'Pod a: a'],
    ],
    [
      'a workload of another namespace',
      [
        workload('StatefulSet').replace('name: web', 'name: web, namespace: other'),
        made(pod('a'), 'StatefulSet', 'web'),
      ],
      ['StatefulSet web: web-0', 'Pod a: a'],
    ],
  ])('%s', (_, texts, found) => {
    expect(owners(...texts)).toEqual(found);
  });
  test('a ReplicaSet without its pods makes them, for its Deployment', () => {
    expect(owners(deployment, replicaSet)).toEqual([
      expect.stringMatching(/^Deployment web: web-1-/),
      expect.stringMatching(/^Deployment web: web-1-/),
    ]);
  });
  test('where a workload is replaced, what was made for it goes', () => {
    const old = [deployment, replicaSet, made(pod('web-1-a'), 'ReplicaSet', 'web-1'), pod('web-1-b'), cronJob, job];
    const { objects } = parseManifests([{ path: 'old.yaml', text: old.join('---\n') }]);
    const replacing = parseManifests([{ path: 'new.yaml', text: `${deployment}---\n${pod('web-1-b')}` }]).objects;
    const left = new Controllers(objects).without(replacing);
    expect(left.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'Deployment web',
      'Pod web-1-b',
      'CronJob tick',
      'Job tick-1',
    ]);
  });
});
