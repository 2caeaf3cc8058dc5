import { expect, test } from 'vitest';
import { lastStory } from '../../src/cli/denial.ts';
import { prove } from '../../src/cli/proof.ts';
import { connectLab } from '../../src/lab/connect.ts';
import { loadLab, toSpec } from '../../src/lab/lab-file.ts';
import { makeChanges } from '../../src/lab/run-change.ts';
import { labFolder } from '../../src/lab/shipped.ts';
import { given } from '../builders/given.ts';
import { TestLab } from './lab-fixture.ts';

// All labs are looked at without running them in test/why/labs.test.ts; these for real.
test.each([
  ['default-deny', 'a pod of another namespace, by a new policy'],
  ['dns-egress', 'an address outside'],
])('the change that %s lacks lets a real connection through: %s', async (name) => {
  const lab = await loadLab(await labFolder(name));
  await using running = await TestLab.start(await toSpec(lab, name, {}));
  let proven = 0;
  for (const step of lab.steps) {
    await makeChanges(running.client, step);
    const denied = step.expect.findLast((each) => each.kind === 'connect' && each.verdict === 'deny');
    if (denied?.kind !== 'connect') continue;
    const { from, to, protocol, port } = denied;
    await running.client.probe([{ from, to, protocol, port, timeoutMs: 300 }]);
    const client = await connectLab(name);
    const told = await lastStory(client, { pod: undefined, namespace: undefined });
    if (told.kind !== 'story') throw new Error(`no story but ${told.kind}`);
    const { connection, remedy } = told.story;
    const { changes } = given(remedy, 'a remedy');
    const proof = await prove(client, { cluster: told.cluster, connection, changes }, () => undefined);
    expect(proof).toMatchObject({ proven: true, before: { outcome: 'timeout' }, after: { outcome: 'connected' } });
    proven += 1;
    break;
  }
  expect(proven).toBe(1);
});
