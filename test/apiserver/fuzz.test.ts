import { afterAll, beforeAll, expect, it } from 'vitest';
import { isList, isObject, type JsonObject, type JsonValue } from '../../src/manifest/json.ts';
import { Random } from '../builders/random.ts';
import { ApiFixture } from './api-fixture.ts';

let api: ApiFixture;

beforeAll(async () => {
  api = await ApiFixture.start();
});

afterAll(() => api[Symbol.asyncDispose]());

const SEED = 20260102;
const ROUNDS = 120;

const template = {
  metadata: { labels: { app: 'web' } },
  spec: {
    initContainers: [{ name: 'init', image: 'busybox', restartPolicy: 'Always' }],
    containers: [
      {
        name: 'main',
        image: 'nginx:1',
        ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }],
        env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
        readinessProbe: { httpGet: { path: '/', port: 'http' } },
      },
    ],
  },
};

/** An object of each shape, by the path of its resource. */
const OBJECTS: readonly (readonly [string, JsonObject])[] = [
  ['/api/v1/namespaces', {}],
  ['/api/v1/nodes', { spec: {}, status: { conditions: [{ type: 'Ready', status: 'True' }] } }],
  ['/api/v1/namespaces/default/pods', { spec: template.spec, status: { phase: 'Running' } }],
  ['/api/v1/namespaces/default/configmaps', { data: { a: 'b' } }],
  [
    '/api/v1/namespaces/default/services',
    { spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] } },
  ],
  ['/api/v1/namespaces/default/events', { involvedObject: { kind: 'Pod', name: 'p' }, type: 'Normal', count: 1 }],
  ['/api/v1/namespaces/default/endpoints', { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] }],
  [
    '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
    { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port: 80 }] },
  ],
  ['/apis/apps/v1/namespaces/default/deployments', { spec: { selector: { matchLabels: { app: 'web' } }, template } }],
  ['/apis/apps/v1/namespaces/default/statefulsets', { spec: { selector: { matchLabels: { app: 'web' } }, template } }],
  [
    '/apis/batch/v1/namespaces/default/cronjobs',
    {
      spec: {
        schedule: '* * * * *',
        jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
      },
    },
  ],
  [
    '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies',
    {
      spec: {
        podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] },
        ingress: [
          { from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }], ports: [{ port: 80, endPort: 90 }] },
        ],
        egress: [{ to: [{ namespaceSelector: {}, podSelector: {} }] }],
      },
    },
  ],
];

const METADATA: JsonObject = {
  name: 'x',
  labels: { app: 'web' },
  annotations: { note: 'x' },
  finalizers: [],
  ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }],
};

const STRANGE: readonly JsonValue[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  'x',
  'constructor',
  '\u0000',
  [],
  {},
  [null],
  [[]],
  [{}],
  { a: null },
  { $patch: 'delete' },
  { $patch: 'replace' },
  { $retainKeys: [1], toString: 1, hasOwnProperty: {} },
  { '$setElementOrder/containers': [{}], '$deleteFromPrimitiveList/finalizers': 'x' },
];

/** The value with something in it replaced, dropped, doubled or added. */
function mutated(value: JsonValue, random: Random): JsonValue {
  if (random.chance(0.1)) return random.pick(STRANGE);
  if (isList(value)) {
    if (value.length === 0 || random.chance(0.2)) return [...value, random.pick(STRANGE)];
    const index = random.between(0, value.length - 1);
    if (random.chance(0.2)) return [...value, value[index] ?? null];
    return value.with(index, mutated(value[index] ?? null, random));
  }
  if (!isObject(value)) return random.pick(STRANGE);
  const names = Object.keys(value);
  if (names.length === 0 || random.chance(0.1))
    return { ...value, [random.pick(['spec', 'status', 'x', '$patch'])]: random.pick(STRANGE) };
  const name = random.pick(names);
  return { ...value, [name]: mutated(value[name] ?? null, random) };
}

it(`answers strange objects and patches with anything but a failure of its own (seed ${SEED})`, async () => {
  const random = new Random(SEED);
  const codes = new Map<number, number>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [path, fields] of OBJECTS) {
      const whole = { metadata: METADATA, ...fields };
      const [method, type, target] = random.pick([
        ['POST', 'application/json', path],
        ['PUT', 'application/json', `${path}/x`],
        ['PATCH', 'application/merge-patch+json', `${path}/x`],
        ['PATCH', 'application/strategic-merge-patch+json', `${path}/x`],
        ['PATCH', 'application/apply-patch+yaml', `${path}/x`],
        ['DELETE', 'application/json', `${path}/x`],
      ] as const);
      const body = JSON.stringify(random.chance(0.2) ? whole : mutated(whole, random));
      const query = `fieldManager=${random.pick(['a', 'b'])}&fieldValidation=${random.pick(['Strict', 'Ignore'])}`;
      const answer = await api.askAgain(`${target}?${query}`, { method, body, headers: { 'content-type': type } });
      codes.set(answer.code, (codes.get(answer.code) ?? 0) + 1);
      expect(answer.code, `round ${round}: ${method} ${type} ${target} ${body}: ${answer.text}`).toBeLessThan(500);
    }
  }
  // Every way out is taken often.
  for (const code of [200, 201, 400, 409, 422]) expect(codes.get(code), `answers ${code}`).toBeGreaterThan(20);
});
