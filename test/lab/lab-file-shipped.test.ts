import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadLab, toSpec } from '../../src/lab/lab-file.ts';
import { readLabManifests } from '../../src/lab/lab-manifests.ts';
import { DIFFICULTIES, TOPICS } from '../../src/lab/lab-schema.ts';
import { shippedLabs } from '../../src/lab/shipped.ts';
import { parseManifests } from '../../src/manifest/manifest.ts';
import { validateObject } from '../../src/manifest/validate.ts';

test('the shipped labs are listed by topic, the easy ones first, and none lacks a place there', async () => {
  const labs = await shippedLabs();
  const places = labs.map(({ topic, difficulty }) => [TOPICS.indexOf(topic), DIFFICULTIES.indexOf(difficulty)]);
  expect(places).toEqual(places.toSorted(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d));
  expect(labs.filter(({ topic }) => topic === 'other')).toEqual([]);
  expect(labs.map(({ title }) => title)).not.toContain('');
});

test('each has a README and manifests that the API server takes', async () => {
  for (const { name, folder } of await shippedLabs()) {
    await access(join(folder, 'README.md'));
    const lab = await loadLab(folder);
    const { files } = await toSpec(lab, name, {});
    const applied = await readLabManifests(lab.steps.flatMap(({ apply }) => apply));
    const { objects, issues, warnings } = parseManifests([...files, ...applied]);
    expect({ name, issues: [...issues, ...objects.flatMap(validateObject)], warnings }).toEqual({
      name,
      issues: [],
      warnings: [],
    });
  }
});
