import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Enforcer } from '../../src/cni/enforcer.ts';
import { diffText } from '../../src/diff/diff-text.ts';
import { grouped } from '../../src/diff/group.ts';
import type { ManifestFile } from '../../src/manifest/manifest.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { evaluate } from '../../src/reference/evaluate.ts';
import { patchOf } from '../../src/why/patch.ts';
import { reachOf } from '../../src/why/reach.ts';
import { remedyFor, type Remedy } from '../../src/why/remedy.ts';
import { connection, type EndNotation } from '../builders/connection.ts';
import { given } from '../builders/given.ts';
import { build, randomCluster } from '../builders/random-cluster.ts';
import { randomConnection } from '../builders/random-connection.ts';
import { Random } from '../builders/random.ts';
import { clusterOf, podsFile, policyFile } from './why-fixture.ts';

const PODS = podsFile('client', 'other', 'web', 'db', 'shop/client');
const DENY_INGRESS = policyFile('deny', 'podSelector: {}\npolicyTypes: [Ingress]');
const DENY_ALL = policyFile('deny', 'podSelector: {}\npolicyTypes: [Ingress, Egress]');
const WEB_ONLY = `
podSelector:
  matchLabels:
    app: web
ingress:
  - from:
      - podSelector:
          matchLabels:
            app: other
    ports:
      - port: 80
`;

const asWritten = (cluster: Cluster): Cluster => cluster;

interface Tried {
  readonly files: readonly ManifestFile[];
  readonly remedy: Remedy;
  readonly summaries: readonly string[];
  /** All that the change opens, as `diff` says it. */
  readonly opens: readonly string[];
}

/** The remedy for a connection between pods or addresses under these policies. */
function remedy(policies: readonly ManifestFile[], [from, to, port]: [string, string, string?]): Tried {
  const files = [PODS, ...policies];
  const { cluster, manifests } = clusterOf(files);
  const end = (text: string): EndNotation =>
    cluster.pods.find(({ namespace, name }) => `${namespace}/${name}` === text) ?? text;
  const tried = connection(end(from), end(to), port);
  expect(evaluate(cluster, tried).allowed).toBe(false);
  const found = given(remedyFor({ cluster, connection: tried, manifests, enforced: asWritten }), 'a remedy');
  expect(evaluate(found.after, tried).allowed).toBe(true);
  const text = diffText(grouped(found.comparison.changes), found.comparison, false);
  return {
    files,
    remedy: found,
    summaries: found.changes.map(({ summary }) => summary),
    opens: text.split('\n').slice(0, -1),
  };
}

test('is one that the CNI enforces: to Cilium an ipBlock allows no pod', () => {
  const block = policyFile('block', 'podSelector: {}\ningress:\n  - from:\n      - ipBlock: { cidr: 10.0.0.0/8 }');
  const { cluster, manifests } = clusterOf([PODS, block]);
  const [client, , web] = cluster.pods;
  const tried = connection(given(client, 'a client'), given(web, 'a server'), '80');
  expect(evaluate(cluster, tried).allowed).toBe(true);
  const enforcer = new Enforcer('cilium');
  const enforced = (one: Cluster): Cluster => enforcer.enforced(one);
  expect(evaluate(enforced(cluster), tried).allowed).toBe(false);
  const found = given(remedyFor({ cluster, connection: tried, manifests, enforced }), 'a remedy');
  expect(evaluate(enforced(found.after), tried).allowed).toBe(true);
  const text = diffText(grouped(found.comparison.changes), found.comparison, false);
  expect(text.split('\n')[0]).toBe('+ default/client -> default/web  80/TCP');
});

describe('the smallest change', () => {
  test('is a peer more in a rule that allows the port', () => {
    const { summaries, opens } = remedy([policyFile('web', WEB_ONLY)], ['default/client', 'default/web']);
    expect(summaries).toEqual(['a peer more in ingress[0] of default/web']);
    expect(opens).toEqual(['+ default/client -> default/web  80/TCP']);
  });

  describe('is a label put right', () => {
    const typo = (spec: string): string[] => [
      ...remedy([policyFile('web', spec)], ['default/client', 'default/web']).summaries,
    ];

    test.each([
      ['as it is written', 'app: clinet'],
      ['in quotes', 'app: "clinet"'],
      ['with a comment', 'app: clinet # the shell'],
    ])('%s', (_, label) => {
      const spec = WEB_ONLY.replace('app: other', label);
      const {
        files,
        remedy: found,
        summaries,
        opens,
      } = remedy([policyFile('web', spec)], ['default/client', 'default/web']);
      expect(summaries).toEqual(['app=client instead of app=clinet, which no pod has, in ingress[0] of default/web']);
      expect(opens).toEqual(['+ default/client -> default/web  80/TCP']);
      const [change] = found.changes;
      expect(change?.after).toBe(files[1]?.text.replace('clinet', 'client'));
    });

    test('with all the ports that its rule is for', () => {
      const spec = 'podSelector: {}\ningress:\n  - from: [{ podSelector: { matchLabels: { app: clinet } } }]';
      const { summaries, opens } = remedy([policyFile('web', spec)], ['default/client', 'default/web']);
      expect(summaries).toEqual(['app=client instead of app=clinet, which no pod has, in ingress[0] of default/web']);
      expect(opens).toEqual(['+ default/client -> default/db, default/other, default/web  every port']);
    });

    test('of a namespace', () => {
      const spec = WEB_ONLY.replace(
        '- podSelector:\n          matchLabels:\n            app: other',
        '- namespaceSelector:\n          matchLabels:\n            kubernetes.io/metadata.name: shpo',
      );
      const { summaries } = remedy([policyFile('web', spec)], ['shop/client', 'default/web']);
      expect(summaries).toEqual([
        'kubernetes.io/metadata.name=shop instead of kubernetes.io/metadata.name=shpo, which no namespace has, in ingress[0] of default/web',
      ]);
    });

    test('but not where some pod has it, nor where it is another word', () => {
      const peer = ['a peer more in ingress[0] of default/web'];
      expect(typo(WEB_ONLY.replace('app: other', 'app: backend'))).toEqual(peer);
      const both = [podsFile('clinet')];
      const spec = policyFile('web', WEB_ONLY.replace('app: other', 'app: clinet'));
      expect(remedy([...both, spec], ['default/client', 'default/web']).summaries).toEqual(peer);
    });

    test('but not where that is not enough', () => {
      const spec = WEB_ONLY.replace('app: other', 'app: clinet').replace('port: 80', 'port: 81');
      expect(typo(spec)).toEqual(['a rule more in ingress of default/web']);
    });
  });

  test('is a port more in a rule that allows the peer', () => {
    const { summaries, opens } = remedy([policyFile('web', WEB_ONLY)], ['default/other', 'default/web', '53/UDP']);
    expect(summaries).toEqual(['a port more in ingress[0] of default/web']);
    expect(opens).toEqual(['+ default/other -> default/web  53/UDP']);
  });

  test('is a rule more where a peer more would open other ports', () => {
    const { summaries, opens } = remedy([policyFile('web', WEB_ONLY)], ['default/client', 'default/web', '443']);
    expect(summaries).toEqual(['a rule more in ingress of default/web']);
    expect(opens).toEqual(['+ default/client -> default/web  443/TCP']);
  });

  test('is a new policy where the one that denies selects more pods', () => {
    const { summaries, opens, remedy: found } = remedy([DENY_INGRESS], ['shop/client', 'default/web']);
    expect(summaries).toEqual(['a new policy default/allow-web-from-client']);
    expect(opens).toEqual(['+ shop/client -> default/web  80/TCP']);
    expect(patchOf(found.changes)).toMatchObject({ format: 'manifest', paths: ['allow-web-from-client.yaml'] });
  });

  test('opens both directions if both deny, and each for the pod alone', () => {
    const { summaries, opens } = remedy([DENY_ALL], ['default/client', 'default/web']);
    expect(summaries).toEqual([
      'a new policy default/allow-client-to-web',
      'a new policy default/allow-web-from-client',
    ]);
    expect(opens).toEqual(['+ default/client -> default/web  80/TCP']);
  });

  test.each([
    ['to one address outside', ['default/web', '192.0.2.7', '443'], '+ default/web -> outside 192.0.2.7/32  443/TCP'],
    ['from one address outside', ['2001:db8::1', 'default/web'], '+ outside 2001:db8::1/128 -> default/web  80/TCP'],
    ['of a ping', ['default/client', 'default/web', 'ICMP'], '+ default/client -> default/web  every port'],
  ] as const)('is as narrow as can be: %s', (_, [from, to, port], opened) => {
    expect(remedy([DENY_ALL], port === undefined ? [from, to] : [from, to, port]).opens).toEqual([opened]);
  });

  test('leaves policies alone that are in no file of the user', () => {
    const { cluster, manifests } = clusterOf([PODS, policyFile('web', WEB_ONLY)]);
    const [client, , web] = cluster.pods;
    const tried = connection(given(client, 'a client'), given(web, 'a web server'));
    const foreign = manifests.map((manifest) => ({ ...manifest, isOwn: false }));
    const found = given(remedyFor({ cluster, connection: tried, manifests: foreign, enforced: asWritten }), 'a remedy');
    expect(found.changes.map(({ before }) => before)).toEqual([null]);
    expect(evaluate(found.after, tried).allowed).toBe(true);
  });

  test('takes a name that its namespace does not have', () => {
    const taken = policyFile('allow-web-from-client', 'podSelector: { matchLabels: { app: db } }');
    const { summaries } = remedy([DENY_INGRESS, taken], ['shop/client', 'default/web']);
    expect(summaries).toEqual(['a new policy default/allow-web-from-client-2']);
  });
});

test.each([
  ['one file that changes twice', (text: string) => text],
  ['lines that end as on Windows', (text: string) => text.replaceAll('\n', '\r\n')],
  ['a last line that does not end', (text: string) => text.replace(/\n# to be continued\n$/, '')],
  ['a path with blanks', (text: string) => text, 'both of  them.yaml'],
])('the patch is one for `patch -p0` and `git apply`: %s', (_, written, path = 'both.yaml') => {
  const web = policyFile(
    'web',
    'podSelector: { matchLabels: { app: web } }\npolicyTypes: [Ingress]\n# to be continued',
  );
  const client = policyFile(
    'client',
    'podSelector: { matchLabels: { app: client } }\npolicyTypes:\n- Egress\negress: []',
  );
  const file = { path, text: written(`${client.text}---\n${web.text}`) };
  const { remedy: found, files, summaries } = remedy([file], ['default/client', 'default/web']);
  expect(summaries).toEqual(['a rule more in egress of default/client', 'a rule more in ingress of default/web']);
  const { format, text } = patchOf(found.changes);
  expect(format).toBe('diff');
  for (const program of [
    ['patch', '-p0'],
    ['git', 'apply', '-p0', '-'],
  ]) {
    const folder = mkdtempSync(join(tmpdir(), 'netpol-lab-why-'));
    try {
      writeFileSync(join(folder, file.path), file.text);
      const [name = '', ...options] = program;
      execFileSync(name, options, { cwd: folder, input: text, stdio: 'pipe' });
      const patched = readFileSync(join(folder, file.path), 'utf8');
      expect(patched).toBe(found.changes.at(-1)?.after);
      const after = clusterOf([...files.slice(0, 1), { ...file, text: patched }]).cluster;
      const [from, , to] = after.pods;
      expect(evaluate(after, connection(given(from, 'a client'), given(to, 'a server'))).allowed).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
});

const SEED = 20_261_201;
const CLUSTERS = 30;

test(`a remedy allows what the oracle says is denied, and denies nothing, on random clusters (seeds from ${SEED})`, () => {
  let denied = 0;
  for (let seed = SEED; seed < SEED + CLUSTERS; seed += 1) {
    const random = new Random(seed);
    const cluster = build(randomCluster(random));
    if (cluster.pods.length > 20) continue;
    for (let index = 0; index < 10; index += 1) {
      const tried = randomConnection(random, cluster);
      if (evaluate(cluster, tried).allowed) continue;
      denied += 1;
      const found = remedyFor({ cluster, connection: tried, manifests: [], enforced: asWritten });
      expect(found && evaluate(found.after, tried).allowed, `seed ${seed}, connection ${index}`).toBe(true);
      expect(found && reachOf(found.comparison.changes).denied, `seed ${seed}, connection ${index}`).toBe(0);
    }
  }
  expect(denied).toBeGreaterThan(50);
});
