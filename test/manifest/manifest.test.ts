import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressPool } from '../../src/manifest/address-pool.ts';
import { buildCluster } from '../../src/manifest/build-cluster.ts';
import { parseManifests } from '../../src/manifest/manifest.ts';
import { issuesOf, load, pod, policy, shortly } from './builders.ts';

describe('documents', () => {
  test('empty ones are skipped, the others keep their lines', () => {
    const { objects, issues } = parseManifests([
      { path: 'f.yaml', text: `# nothing\n---\n---\n${pod('a')}---\n\n${pod('b')}...\n` },
    ]);
    expect(issues).toEqual([]);
    expect(objects.map(({ name, source }) => [name, source.line])).toEqual([
      ['a', 4],
      ['b', 7],
    ]);
  });
  test.each([
    ['a duplicate key', `a: 1\na: 2\n---\n${pod('a')}`, 2, 'Map keys must be unique'],
    ['keys that are one key as text', `1: a\n"1": b\n---\n${pod('a')}`, 1, 'Map keys must be unique'],
    ['an unclosed list', `x:\n- [\n---\n${pod('a')}`, 3, 'Flow sequence'],
    ['a line too far to the right', `a: b\n c: d\n---\n${pod('a')}`, 2, 'Nested mappings'],
    ['a line without a colon', `a\nb: c\n---\n${pod('a')}`, 2, 'Implicit keys'],
    ['a tag of somebody', `a: !foo b\n---\n${pod('a')}`, 1, 'Unresolved tag'],
    ['infinity', `a: .inf\n---\n${pod('a')}`, 1, 'JSON has no value Infinity'],
    ['__proto__', `a: {__proto__: {b: c}}\n---\n${pod('a')}`, 1, '"__proto__" is not allowed'],
    ['a map as a key', `? {a: b}\n: c\n---\n${pod('a')}`, 1, 'a key must be'],
    ['an alias of what holds it', `a: &a\n  b: *a\n---\n${pod('a')}`, 1, 'alias'],
    ['an unknown alias', `a: *b\n---\n${pod('a')}`, 1, 'alias'],
    ['a list', `- a\n---\n${pod('a')}`, 1, 'got a list'],
    ['a text', `hello\n---\n${pod('a')}`, 1, 'got a string'],
  ])('%s is an issue, and the next document still loads', (_, text, line, message) => {
    const { objects, issues } = parseManifests([{ path: 'f.yaml', text }]);
    expect(objects.map(({ name }) => name)).toEqual(['a']);
    expect(issues.map((issue) => [issue.type, issue.file, issue.line])).toEqual([['Syntax', 'f.yaml', line]]);
    expect(issues[0]?.message).toContain(message);
  });
  test('an alias bomb is refused', () => {
    const levels = Array.from({ length: 12 }, (_, level) =>
      level === 0
        ? 'l0: &l0 [x]'
        : `l${level}: &l${level} [${Array(10)
            .fill(`*l${level - 1}`)
            .join(', ')}]`,
    );
    expect(issuesOf(levels.join('\n')).map(({ type, message }) => [type, message])).toEqual([
      ['Syntax', expect.stringContaining('alias')],
    ]);
  });
  test('what YAML libraries read differently is read as kubectl does', () => {
    const spec = 'a: yes\nb: "yes"\nc: 0o10\nd: 010\ne: 2024-01-01\nf: 12:30\ng: ~\nh: &x {i: 1}\nj:\n  <<: *x\n';
    const { objects } = parseManifests([
      { path: 'f.yaml', text: `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n${spec}` },
    ]);
    expect(objects[0]?.value).toMatchObject({
      a: true,
      b: 'yes',
      d: 8,
      e: '2024-01-01',
      f: '12:30',
      g: null,
      j: { i: 1 },
    });
  });
  test('JSON with tabs', () => {
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p\u00e9/"' } }, null, '\t');
    expect(parseManifests([{ path: 'f.json', text }]).objects.map(({ name }) => name)).toEqual(['p\u00e9/"']);
  });
  test('JSON objects that follow one another are so many, with their lines', () => {
    const json = (name: string): string =>
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, annotations: { a: '}\n{"[' } } }, null, 2);
    const text = `\n${json('a')}\n${json('b')}${json('c')}\n{"a": 1, "a": 2}\n\n${json('d')}\n---\n${pod('e')}`;
    const { objects, issues } = parseManifests([{ path: 'f.json', text }]);
    expect(issues.map(({ line }) => line)).toEqual([31]);
    expect(objects.map((object) => [object.name, object.lineOf([]), object.lineOf(['metadata', 'name'])])).toEqual([
      ['a', 2, 6],
      ['b', 12, 16],
      ['c', 21, 25],
      ['d', 33, 37],
      ['e', 44, 44],
    ]);
  });
});

describe('objects', () => {
  test.each([
    ['no apiVersion', 'kind: Pod\nmetadata: {name: a}', ['1 apiVersion: Required value']],
    ['no kind', 'apiVersion: v1\nmetadata: {name: a}', ['1 kind: Required value']],
    ['no metadata', 'apiVersion: v1\nkind: Pod', ['1 metadata.name: Required value: name or generateName is required']],
    [
      'an old version',
      '# old\napiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: a}',
      ['2 apiVersion: Unsupported value: "extensions/v1beta1": supported values: "networking.k8s.io/v1"'],
    ],
    [
      'a policy of another API',
      'apiVersion: crd.projectcalico.org/v1\nkind: NetworkPolicy\nmetadata: {name: a}',
      ['1 apiVersion: Unsupported value: "crd.projectcalico.org/v1": supported values: "networking.k8s.io/v1"'],
    ],
    [
      'metadata that is a text',
      'apiVersion: v1\nkind: Pod\nmetadata: a',
      ['3 metadata: json: cannot unmarshal string into Go struct field Pod.metadata of type v1.ObjectMeta'],
    ],
    [
      'a namespaced namespace',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}',
      ['3 metadata.namespace: Forbidden: not allowed on this type'],
    ],
  ])('%s', (_, text, found) => {
    expect(shortly(issuesOf(text))).toEqual(found);
  });
  test('unknown kinds are passed over with a warning each', () => {
    const text = ['ConfigMap', 'Secret']
      .map((kind) => `apiVersion: v1\nkind: ${kind}\nmetadata: {name: a}\n`)
      .join('---\n');
    const knative = '---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: b}\n';
    expect(parseManifests([{ path: 'f.yaml', text: text + knative }])).toMatchObject({
      objects: [],
      issues: [],
      warnings: [
        'f.yaml:1: ConfigMap a is passed over: netpol-lab does not know it',
        'f.yaml:5: Secret a is passed over: netpol-lab does not know it',
        'f.yaml:9: Service b is passed over: netpol-lab does not know it',
      ],
    });
  });
  test('an unknown kind needs no name', () => {
    const text = 'apiVersion: example.com/v1\nkind: Options\n';
    expect(parseManifests([{ path: 'f.yaml', text }])).toMatchObject({
      issues: [],
      warnings: ['f.yaml:1: Options is passed over: netpol-lab does not know it'],
    });
  });
  test.each(['kustomization.yaml', 'base/kustomization.yml', 'Kustomization'])('%s needs no kind', (path) => {
    expect(parseManifests([{ path, text: 'resources: [policy.yaml]\n' }])).toMatchObject({
      objects: [],
      issues: [],
      warnings: [`${path}:1: Kustomization is passed over: netpol-lab does not know it`],
    });
    expect(parseManifests([{ path, text: pod('a') }]).objects.map(({ name }) => name)).toEqual(['a']);
  });
  test('a List is unwrapped, with the lines of its items', () => {
    const items =
      'items:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n-\n  apiVersion: v1\n  kind: Pod\n  metadata:\n    name: B_\n  spec:\n    containers: [{name: c, image: i}]\n';
    const { objects } = parseManifests([{ path: 'f.yaml', text: `apiVersion: v1\nkind: List\n${items}` }]);
    expect(objects.map(({ name, source }) => [name, source.line])).toEqual([
      ['a', 4],
      ['B_', 7],
    ]);
    expect(issuesOf(`apiVersion: v1\nkind: List\n${items}`).map(({ line, field }) => [line, field])).toEqual([
      [4, 'spec.containers'],
      [11, 'metadata.name'],
    ]);
  });
  test('items of a typed list need no kind', () => {
    const text =
      'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicyList\nmetadata: {resourceVersion: "1"}\nitems:\n- metadata: {name: a}\n  spec: {}\n';
    expect(load(text).cluster.policies.map(({ name, source }) => [name, source.line])).toEqual([['a', 5]]);
  });
  test.each([
    ['a list of another API', 'apiVersion: example.com/v1\nkind: AllowList\nitems: [10.0.0.0/8]\n', 'AllowList'],
    ['a kind that is no list', 'apiVersion: example.com/v1\nkind: AllowList\nspec: {}\n', 'AllowList'],
    ['a known kind of another API', 'apiVersion: example.com/v1\nkind: ServiceList\nitems: []\n', 'ServiceList'],
    ['a List of another API', 'apiVersion: example.com/v1\nkind: List\nitems: [{}]\n', 'List'],
  ])('%s is passed over', (_, text, kind) => {
    expect(parseManifests([{ path: 'f.yaml', text }])).toMatchObject({
      objects: [],
      issues: [],
      warnings: [`f.yaml:1: ${kind} is passed over: netpol-lab does not know it`],
    });
  });
  test.each([
    [
      'items that are no list',
      'apiVersion: v1\nkind: List\nitems: {}\n',
      ['3 : a list of objects is expected, got an object'],
    ],
    ['a list without apiVersion', 'kind: PodList\nitems: []\n', ['1 apiVersion: Required value']],
    [
      'a list of an old version',
      'apiVersion: extensions/v1beta1\nkind: NetworkPolicyList\nitems:\n- metadata: {name: a}\n',
      ['4 apiVersion: Unsupported value: "extensions/v1beta1": supported values: "networking.k8s.io/v1"'],
    ],
  ])('%s: refused', (_, text, found) => {
    expect(shortly(issuesOf(text))).toEqual(found);
  });
  test('a generated name is made up, the same each time', () => {
    const text =
      'apiVersion: v1\nkind: Pod\nmetadata: {generateName: job-}\nspec: {containers: [{name: c, image: i}]}\n';
    const [first] = load(text).cluster.pods;
    expect(first?.name).toMatch(/^job-[bcdfghjklmnpqrstvwxz2-9]{5}$/);
    expect(load(text).cluster.pods[0]?.name).toBe(first?.name);
  });
  test('lineOf finds the nearest line', () => {
    const text = policy('ingress:\n- ports:\n  - port: 80\n    protocol: TCP\n  from:\n  -\n    podSelector: {}\n- {}');
    const [object] = parseManifests([{ path: 'f.yaml', text }]).objects;
    const lines = [
      [],
      ['metadata'],
      ['spec', 'ingress', 0],
      ['spec', 'ingress', 0, 'ports', 0, 'protocol'],
      ['spec', 'ingress', 0, 'ports', 0, 'endPort'],
      ['spec', 'ingress', 0, 'from', 0],
      ['spec', 'ingress', 1, 'from'],
      ['spec', 'egress', 3, 'to'],
    ].map((path) => object?.lineOf(path));
    expect(lines).toEqual([1, 3, 6, 8, 7, 10, 12, 4]);
  });
});

const SEED = Number(process.env.FUZZ_SEED ?? 20240607);
const RUNS = Number(process.env.FUZZ_RUNS ?? 300);

describe(`never throws (seed ${SEED})`, () => {
  const survives = (text: string): void => {
    const { objects } = parseManifests([{ path: 'f', text }]);
    buildCluster(objects, new AddressPool());
  };
  test('on any text', () => {
    const token = fc.constantFrom(
      '- ',
      ': ',
      '\n',
      '  ',
      '&a ',
      '*a',
      '<<: ',
      '{',
      '}',
      '[',
      ']',
      '---\n',
      '"',
      '!!',
      '#',
      'a',
      '? ',
      '|',
      '\t',
      '\0',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(token).map((tokens) => tokens.join('')),
    );
    fc.assert(fc.property(text, survives), { seed: SEED, numRuns: RUNS });
  });
  test('on any nesting', () => {
    survives('['.repeat(20_000));
    survives('{"a":'.repeat(20_000));
  });
  test('on any JSON in the place of fields', () => {
    const key = fc.constantFrom(
      'spec',
      'metadata',
      'name',
      'labels',
      'ingress',
      'from',
      'ports',
      'port',
      'ipBlock',
      'cidr',
      'podSelector',
      'template',
      'containers',
      'selector',
      'items',
      '__proto__',
      'constructor',
    );
    const { any } = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(key, tie('any'), { maxKeys: 4 }),
      ),
    }));
    const kinds = fc.constantFrom(
      ['v1', 'Pod'],
      ['v1', 'Service'],
      ['v1', 'Namespace'],
      ['v1', 'List'],
      ['apps/v1', 'Deployment'],
      ['apps/v1', 'StatefulSet'],
      ['batch/v1', 'Job'],
      ['batch/v1', 'CronJob'],
      ['v1', 'ReplicationController'],
      ['networking.k8s.io/v1', 'NetworkPolicy'],
    );
    fc.assert(
      fc.property(kinds, any, any, ([apiVersion, kind], metadata, spec) => {
        survives(JSON.stringify({ apiVersion, kind, metadata, spec, items: spec }));
        survives(JSON.stringify({ apiVersion, kind, metadata: { name: 'a' }, spec, status: metadata }));
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });
});
