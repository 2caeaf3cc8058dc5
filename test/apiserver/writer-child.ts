// Writes objects as fast as it can and says which were answered, until it is killed.
import { ApiStore } from '../../src/apiserver/api-store.ts';
import { servedKind } from '../../src/apiserver/registry.ts';

const store = await ApiStore.open({ folder: process.argv[2] ?? '' });
const target = { resource: servedKind('v1', 'ConfigMap'), namespace: 'default', name: '', subresource: '' } as const;
const options = {
  dryRun: false,
  fieldValidation: 'Strict',
  fieldManager: 'test',
  warn: () => undefined,
} as const;

async function write(writer: number): Promise<never> {
  for (let index = 0; ; index += 1) {
    const name = `w${writer}-${index}`;
    await store.users.create(target, { metadata: { name }, data: { text: 'x'.repeat(500) } }, options);
    // Half of them go again, so that the log is rewritten now and then.
    if (index % 2 === 1)
      await store.users.remove({ ...target, name }, { dryRun: false, orphan: false, uid: '', resourceVersion: '' });
    process.stdout.write(`${index % 2 === 1 ? '-' : '+'}${name}\n`);
  }
}

await Promise.all([0, 1, 2, 3].map(write));
