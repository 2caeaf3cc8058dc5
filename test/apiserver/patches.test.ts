import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/manifest/json.ts';
import { jsonPatch, JsonPatchError } from '../../src/apiserver/patch/json-patch.ts';
import { rulesOf } from '../../src/apiserver/patch/list-rules.ts';
import { mergePatch } from '../../src/apiserver/patch/merge-patch.ts';
import { strategicMerge } from '../../src/apiserver/patch/strategic-merge.ts';

describe('a JSON patch', () => {
  it.each<[string, JsonValue, JsonValue[], JsonValue]>([
    ['adds a field', {}, [{ op: 'add', path: '/a', value: 1 }], { a: 1 }],
    ['adds before an item', { a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
    ['adds at the end', { a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    ['adds null', {}, [{ op: 'add', path: '/a', value: null }], { a: null }],
    ['replaces the whole', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
    ['replaces an item', [1, 2], [{ op: 'replace', path: '/0', value: 9 }], [9, 2]],
    ['removes a field', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    ['removes an item', [1, 2, 3], [{ op: 'remove', path: '/1' }], [1, 3]],
    ['reads escapes', { 'a/b': { '~': 1 } }, [{ op: 'replace', path: '/a~1b/~0', value: 2 }], { 'a/b': { '~': 2 } }],
    ['moves', { a: 1 }, [{ op: 'move', from: '/a', path: '/b' }], { b: 1 }],
    ['copies', { a: [1] }, [{ op: 'copy', from: '/a', path: '/b' }], { a: [1], b: [1] }],
    ['tests', { a: { b: 1, c: 2 } }, [{ op: 'test', path: '/a', value: { c: 2, b: 1 } }], { a: { b: 1, c: 2 } }],
  ])('%s', (_, value, operations, expected) => {
    expect(jsonPatch(value, operations)).toEqual(expected);
  });

  it.each<[string, JsonValue, JsonValue]>([
    ['a failed test', { a: 1 }, { op: 'test', path: '/a', value: 2 }],
    ['a missing field to replace', {}, { op: 'replace', path: '/a', value: 1 }],
    ['a missing field to remove', {}, { op: 'remove', path: '/a' }],
    ['a path through nothing', {}, { op: 'add', path: '/a/b', value: 1 }],
    ['an index past the end', [1], { op: 'add', path: '/2', value: 1 }],
    ['an index with a leading zero', [1, 2], { op: 'remove', path: '/01' }],
    ['an inherited field', {}, { op: 'remove', path: '/toString' }],
    ['no value', {}, { op: 'add', path: '/a' }],
    ['an unknown operation', {}, { op: 'append', path: '/a' }],
    ['a path without a slash', {}, { op: 'add', path: 'a', value: 1 }],
    ['a move into itself', { a: {} }, { op: 'move', from: '/a', path: '/a/b' }],
    ['no object', {}, 'add'],
  ])('is refused: %s', (_, value, operation) => {
    expect(() => jsonPatch(value, [operation])).toThrow(JsonPatchError);
  });
});

it.each<[string, JsonObject, JsonObject, JsonObject]>([
  ['sets and deletes', { a: 1, b: 2 }, { a: null, c: 3 }, { b: 2, c: 3 }],
  ['goes into objects', { a: { b: 1, c: 2 } }, { a: { b: null } }, { a: { c: 2 } }],
  ['replaces lists', { a: [1, 2] }, { a: [3] }, { a: [3] }],
  ['leaves no nulls of new objects', {}, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
])('a merge patch %s', (_, value, patch, expected) => {
  expect(mergePatch(value, patch)).toEqual(expected);
});

describe('a strategic merge patch', () => {
  const pod = (spec: JsonObject): JsonObject => ({ spec });
  const containers = (...items: JsonValue[]): JsonObject => pod({ containers: items });
  const [a, b, c] = [
    { name: 'a', image: '1' },
    { name: 'b', image: '1' },
    { name: 'c', image: '1' },
  ];

  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    [
      'merges containers by name',
      containers(a, b),
      containers({ name: 'b', image: '2' }),
      containers(a, { name: 'b', image: '2' }),
    ],
    ['appends a new container', containers(a), containers(b), containers(a, b)],
    ['deletes a container', containers(a, b), containers({ name: 'a', $patch: 'delete' }), containers(b)],
    [
      'orders containers',
      containers(a, b),
      pod({ '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }, { name: 'a' }], containers: [c] }),
      containers(c, b, a),
    ],
    ['replaces a list where told', containers(a, b), containers({ $patch: 'replace' }, c), containers(c)],
    [
      'replaces an object where told',
      pod({ securityContext: { a: 1 } }),
      pod({ securityContext: { $patch: 'replace', b: 2 } }),
      pod({ securityContext: { b: 2 } }),
    ],
    [
      'retains only some keys',
      pod({ volumes: [{ name: 'v', emptyDir: {} }] }),
      pod({ volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/' } }] }),
      pod({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }),
    ],
    [
      'replaces lists without keys',
      pod({ tolerations: [{ key: 'a' }] }),
      pod({ tolerations: [] }),
      pod({ tolerations: [] }),
    ],
    [
      'adds to and takes from sets',
      { metadata: { finalizers: ['x', 'y'] } },
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['x'], finalizers: ['z'] } },
      { metadata: { finalizers: ['y', 'z'] } },
    ],
  ])('%s', (_, value, patch, expected) => {
    expect(strategicMerge(value, patch, rulesOf('Pod'))).toEqual(expected);
  });

  it('replaces the lists of policies whole', () => {
    const before = { spec: { ingress: [{ from: [{ podSelector: {} }] }], egress: [{}] } };
    expect(strategicMerge(before, { spec: { ingress: [{}] } }, rulesOf('NetworkPolicy'))).toEqual({
      spec: { ingress: [{}], egress: [{}] },
    });
  });

  it('needs the key of an item', () => {
    expect(() => strategicMerge(containers(a), containers({ image: 'x' }), rulesOf('Pod'))).toThrow('merge key: name');
  });
});
