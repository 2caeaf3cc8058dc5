import { beforeEach, expect, it } from 'vitest';
import type { JsonObject } from '../../src/manifest/json.ts';
import type { ApiObject } from '../../src/apiserver/api-object.ts';
import { ApiStore } from '../../src/apiserver/api-store.ts';
import { servedKind } from '../../src/apiserver/registry.ts';

let store: ApiStore;

beforeEach(async () => {
  store = await ApiStore.open();
});

const TARGET = {
  resource: servedKind('apps/v1', 'Deployment'),
  namespace: 'default',
  name: 'web',
  subresource: '',
} as const;

const options = (fieldManager: string) =>
  ({ dryRun: false, fieldValidation: 'Strict', fieldManager, warn: () => undefined }) as const;

/** A Deployment with these fields of its spec and of its one container, on top of those it must have. */
function deployment({ spec = {}, container = {} }: { spec?: JsonObject; container?: JsonObject } = {}): JsonObject {
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'main', image: '1', ...container }] },
  };
  return { metadata: { name: 'web' }, spec: { selector: { matchLabels: { app: 'web' } }, template, ...spec } };
}

async function apply(manager: string, object: JsonObject, force = false): Promise<ApiObject> {
  return (await store.users.apply(TARGET, { object, force }, options(manager))).object;
}

function update(manager: string, change: (object: ApiObject) => JsonObject): Promise<ApiObject> {
  return store.users.update(TARGET, change, options(manager));
}

function managersOf(object: ApiObject): string[] {
  return (object.metadata.managedFields as { manager: string; operation: string }[]).map(
    ({ manager, operation }) => `${manager} ${operation}`,
  );
}

it('creates, and changes nothing by the same again', async () => {
  const first = await store.users.apply(TARGET, { object: deployment(), force: false }, options('a'));
  expect(first.created).toBe(true);
  expect(managersOf(first.object)).toEqual(['a Apply']);
  const second = await store.users.apply(TARGET, { object: deployment(), force: false }, options('a'));
  expect(second).toEqual({ created: false, object: first.object });
});

it('sets a field back to its default when its manager does not apply it any more', async () => {
  await apply('a', deployment({ spec: { replicas: 3, minReadySeconds: 5 } }));
  expect(await apply('a', deployment())).toMatchObject({ spec: { replicas: 1 } });
  expect((await apply('a', deployment())).spec).not.toHaveProperty('minReadySeconds');
});

it('keeps a field that another manager applies too', async () => {
  await apply('a', deployment({ spec: { replicas: 3 } }));
  await apply('b', deployment({ spec: { replicas: 3 } }));
  expect(await apply('a', deployment())).toMatchObject({ spec: { replicas: 3 } });
});

it('leaves fields of others alone that it does not speak of', async () => {
  await apply('a', deployment());
  await update('scaler', (one) => ({ ...one, spec: { ...(one.spec as JsonObject), replicas: 7 } }));
  expect(await apply('a', deployment({ container: { image: '2' } }))).toMatchObject({
    spec: { replicas: 7, template: { spec: { containers: [{ name: 'main', image: '2' }] } } },
  });
});

it('merges containers, their ports and variables by their keys', async () => {
  await apply('a', deployment({ container: { ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '1' }] } }));
  const container = { ports: [{ containerPort: 53, protocol: 'UDP' }], env: [{ name: 'B', value: '2' }] };
  const both = await apply('b', deployment({ container }));
  expect(both).toMatchObject({
    spec: {
      template: {
        spec: {
          containers: [
            {
              ports: [
                { containerPort: 80, protocol: 'TCP' },
                { containerPort: 53, protocol: 'UDP' },
              ],
              env: [{ name: 'A' }, { name: 'B' }],
            },
          ],
        },
      },
    },
  });
  const without = await apply('a', deployment());
  expect(without).toMatchObject({
    spec: { template: { spec: { containers: [{ ports: [{ containerPort: 53 }], env: [{ name: 'B' }] }] } } },
  });
});

it('is refused with every conflict, and takes the fields by force', async () => {
  await apply('a', deployment({ spec: { replicas: 3 } }));
  const other = deployment({ spec: { replicas: 4 }, container: { image: '2' } });
  await expect(apply('b', other)).rejects.toMatchObject({
    code: 409,
    message: `Apply failed with 2 conflicts: conflicts with "a" using apps/v1:
- .spec.replicas
- .spec.template.spec.containers[name="main"].image`,
    details: {
      causes: [
        { reason: 'FieldManagerConflict', message: 'conflict with "a" using apps/v1', field: '.spec.replicas' },
        { field: '.spec.template.spec.containers[name="main"].image' },
      ],
    },
  });
  const forced = await apply('b', other, true);
  expect(forced).toMatchObject({ spec: { replicas: 4 } });
  await expect(apply('a', deployment({ spec: { replicas: 3 } }))).rejects.toMatchObject({ code: 409 });
});

it('conflicts with what was written otherwise, until it says the same', async () => {
  await store.users.create({ ...TARGET, name: '' }, deployment({ spec: { replicas: 3 } }), options('creator'));
  const wanted = deployment({ spec: { replicas: 4 } });
  await expect(apply('a', wanted)).rejects.toThrow('conflict with "creator" using apps/v1: .spec.replicas');
  await update('editor', (one) => ({ ...one, spec: { ...(one.spec as JsonObject), replicas: 4 } }));
  expect(managersOf(await apply('a', wanted))).toEqual(['creator Update', 'editor Update', 'a Apply']);
});

it('is refused for an older version and for a bad object', async () => {
  const { metadata } = await apply('a', deployment());
  const old = { ...deployment(), metadata: { ...metadata, resourceVersion: '1' } };
  await expect(apply('a', old)).rejects.toMatchObject({ code: 409, reason: 'Conflict' });
  await expect(apply('a', deployment({ spec: { replicas: -1 } }))).rejects.toMatchObject({ code: 422 });
  await expect(apply('a', deployment({ spec: { replica: 1 } }))).rejects.toMatchObject({ code: 400 });
});
