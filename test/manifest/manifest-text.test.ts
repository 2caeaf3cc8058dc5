import { expect, test } from 'vitest';
import { objectLines, withItem, withString } from '../../src/manifest/manifest-text.ts';
import { parseManifests } from '../../src/manifest/manifest.ts';

const KEY = { kind: 'NetworkPolicy', namespace: 'default', name: 'p' };
const HEAD = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: p\n';
const PEER = { podSelector: { matchLabels: { app: 'web' } } };
const FLOW_HEAD = '{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { name: p }';

test.each([
  {
    name: 'behind the last item, and before the comment on the next line',
    before: `${HEAD}spec:\n  ingress:\n    - from:\n        - podSelector: {} # all\n      # ports later\n`,
    path: ['spec', 'ingress', 0, 'from'],
    after: `${HEAD}spec:\n  ingress:\n    - from:\n        - podSelector: {} # all\n        - podSelector:\n            matchLabels:\n              app: web\n      # ports later\n`,
  },
  {
    name: 'as the text writes lists: dashes below their key',
    before: `${HEAD}spec:\n  ingress:\n  - from:\n    - podSelector: {}\n`,
    path: ['spec', 'ingress', 0, 'from'],
    after: `${HEAD}spec:\n  ingress:\n  - from:\n    - podSelector: {}\n    - podSelector:\n        matchLabels:\n          app: web\n`,
  },
  {
    name: 'in brackets',
    before: `${HEAD}spec: { ingress: [{ from: [ { podSelector: {} } ] }] }\n`,
    path: ['spec', 'ingress', 0, 'from'],
    after: `${HEAD}spec: { ingress: [{ from: [ { podSelector: {} }, { podSelector: { matchLabels: { app: web } } } ] }] }\n`,
  },
  {
    name: 'in place of an empty list',
    before: `${HEAD}spec:\n  ingress: []\n  podSelector: {}\n`,
    path: ['spec', 'ingress'],
    after: `${HEAD}spec:\n  ingress:\n    - podSelector:\n        matchLabels:\n          app: web\n  podSelector: {}\n`,
  },
  {
    name: 'in a list that is not there, at the end of a file without a last line feed',
    before: `${HEAD}spec:\n  podSelector: {}\n  policyTypes: [Ingress]`,
    path: ['spec', 'ingress'],
    after: `${HEAD}spec:\n  podSelector: {}\n  policyTypes: [Ingress]\n  ingress:\n    - podSelector:\n        matchLabels:\n          app: web`,
  },
  {
    name: 'in JSON',
    before:
      '{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p"},"spec":{"podSelector":{}}}',
    path: ['spec', 'ingress'],
    after:
      '{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p"},"spec":{"podSelector":{}, "ingress": [{"podSelector":{"matchLabels":{"app":"web"}}}]}}',
  },
  {
    name: 'of the last object of that name, in a list of objects',
    before: `${HEAD}---\napiVersion: v1\nkind: List\nitems:\n  - ${FLOW_HEAD}, spec: { ingress: [] } }\n`,
    path: ['spec', 'ingress'],
    after: `${HEAD}---\napiVersion: v1\nkind: List\nitems:\n  - ${FLOW_HEAD}, spec: { ingress: [ { podSelector: { matchLabels: { app: web } } } ] } }\n`,
  },
])('an item is added $name', ({ before, path, after }) => {
  expect(withItem(before, KEY, { path, item: PEER })).toBe(after);
  expect(parseManifests([{ path: 'x', text: after }]).issues).toEqual([]);
});

test.each([
  ['another object', `${HEAD.replace('name: p', 'name: q')}spec: {}\n`],
  ['a list behind an alias', `${HEAD}x: &all [{}]\nspec:\n  ingress: *all\n`],
  ['a field without a value', `${HEAD}spec:\n  ingress:\n`],
])('%s is left alone', (_, text) => {
  expect(withItem(text, KEY, { path: ['spec', 'ingress'], item: PEER })).toBeUndefined();
});

test('an object has its own lines, without the comments around it', () => {
  const text = `# head\n${HEAD}spec:\n  podSelector: {}\n# tail\n---\n${HEAD.replace('name: p', 'name: q')}`;
  expect(objectLines(text, KEY)).toEqual({ first: 2, last: 7 });
  expect(objectLines(text, { ...KEY, namespace: 'other' })).toBeUndefined();
});

test.each([
  ['plain', `${HEAD}spec: { podSelector: { matchLabels: { app: wbe } } } # wbe\n`, 'web', 'web'],
  ['in double quotes', `${HEAD}spec:\n  podSelector:\n    matchLabels:\n      app: "wbe"\n`, 'web', '"web"'],
  ['in single quotes', `${HEAD}spec:\n  podSelector:\n    matchLabels:\n      app: 'wbe'\n`, 'web', "'web'"],
  [
    'that would be no text without quotes',
    `${HEAD}spec: { podSelector: { matchLabels: { app: wbe } } }\n`,
    'true',
    '"true"',
  ],
  ['behind an anchor', `${HEAD}spec: { podSelector: { matchLabels: { app: &a wbe } } }\n`, 'web', 'web'],
])('a string is replaced by one %s', (_, before, value, written) => {
  const after = withString(before, KEY, { path: ['spec', 'podSelector', 'matchLabels', 'app'], value });
  expect(after).toBe(before.replace(/(['"]?)wbe\1/, written));
  const [object] = parseManifests([{ path: 'x', text: after ?? '' }]).objects;
  expect(object?.value).toMatchObject({ spec: { podSelector: { matchLabels: { app: value } } } });
});

test('there is no string to replace at a path of something else', () => {
  const text = `${HEAD}spec: { podSelector: { matchLabels: { app: web } } }\n`;
  expect(withString(text, KEY, { path: ['spec', 'podSelector'], value: 'x' })).toBeUndefined();
  expect(withString(text, KEY, { path: ['spec', 'podSelector', 'matchLabels', 'tier'], value: 'x' })).toBeUndefined();
});
