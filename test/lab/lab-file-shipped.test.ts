import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Expectation } from '../../src/lab/expectation-schema.ts';
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

/** What is tried, and from where, however it is to end: `default/client http://web`. */
function attemptOf(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'connect':
      return `${expectation.from} ${expectation.to} ${expectation.port}/${expectation.protocol}`;
    case 'run':
      return `${expectation.pod.namespace}/${expectation.pod.pod} ${expectation.command.split(' ').at(-1)}`;
    default:
      return '';
  }
}

/** Whether the network is to deny it. What a gateway answers is no matter of the network. */
function isDenial(expectation: Expectation): boolean {
  if (expectation.kind === 'run') return expectation.exit !== 0 && !expectation.command.includes('_proxy=');
  return expectation.kind === 'connect' && expectation.verdict === 'deny';
}

test('no denial of a lab is vacuous: it says which side denies, and the same passes at another step', async () => {
  for (const { name, folder } of await shippedLabs()) {
    const { steps } = await loadLab(folder);
    const expectations = steps.flatMap(({ expect }) => expect);
    const open = new Set(expectations.filter((each) => !isDenial(each)).map(attemptOf));
    const denials = expectations.filter(isDenial);
    const never = denials.map(attemptOf).filter((attempt) => !open.has(attempt));
    const unsaid = denials.filter((each) => 'denied' in each && (each.denied ?? []).length === 0).map(attemptOf);
    expect({ name, never, unsaid }).toEqual({ name, never: [], unsaid: [] });
  }
});
