import { describe, expect, test } from 'vitest';
import { given } from '../builders/given.ts';
import type { Container } from '../../src/model/pod.ts';
import { load } from './builders.ts';

/** The container that is written so, of a pod `p` that has 10.0.0.7. */
function container(fields: object): Container {
  const spec = { containers: [{ name: 'c', image: 'i', ...fields }] };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec, status: { podIP: '10.0.0.7' } };
  return given(load(JSON.stringify(pod)).cluster.pods[0]?.containers[0], 'a container');
}

const TARGET = { name: 'TARGET', value: 'web' };

describe('$(NAME) in a command and its arguments', () => {
  test.each([
    ['$(TARGET)', 'web'],
    ['http://$(TARGET):80/$(TARGET)', 'http://web:80/web'],
    ['$$(TARGET)', '$(TARGET)'],
    ['$$$(TARGET)', '$web'],
    ['$$', '$'],
    ['$', '$'],
    ['$TARGET ${TARGET} $(NONE) $() $(TARGET', '$TARGET ${TARGET} $(NONE) $() $(TARGET'],
    ['$((1 + 1))', '$((1 + 1))'],
    ['$(EMPTY)', ''],
    ['$(DOLLARS)', '$& $$'],
  ])('%s is %s', (written, expanded) => {
    const env = [TARGET, { name: 'EMPTY' }, { name: 'DOLLARS', value: '$& $$$$' }];
    const { command, args } = container({ env, command: [written], args: [written] });
    expect([command, args]).toEqual([[expanded], [expanded]]);
  });

  test('is the last value of a name that is written twice, and what a field has', () => {
    const address = { name: 'ADDRESS', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } };
    const env = [TARGET, { ...TARGET, value: 'db' }, address];
    expect(container({ env, command: ['$(TARGET)', '$(ADDRESS)'] }).command).toEqual(['db', '10.0.0.7']);
  });
});

test('a variable has the values of those before it', () => {
  const env = [{ name: 'EARLY', value: '$(TARGET)' }, TARGET, { name: 'URL', value: 'http://$(TARGET)/$$(TARGET)' }];
  expect(container({ env }).env).toEqual([
    { name: 'EARLY', value: '$(TARGET)' },
    TARGET,
    { name: 'URL', value: 'http://web/$(TARGET)' },
  ]);
});

test('the command of a probe has the values that are written, as a kubelet runs it', () => {
  const node = { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } };
  const env = [TARGET, { name: 'URL', value: 'http://$(TARGET)' }, node];
  const { readiness } = container({ env, readinessProbe: { exec: { command: ['$(TARGET)', '$(URL)', '$(NODE)'] } } });
  expect(readiness).toEqual({ kind: 'exec', command: ['web', 'http://$(TARGET)', ''] });
});
