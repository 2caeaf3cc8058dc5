import { describe, expect, test } from 'vitest';
import { parseExpectations } from '../../src/expect/expectation-file.ts';
import { staticMatrix } from '../../src/cli/static-matrix.ts';
import { expectationChunks } from '../../src/expect/generate.ts';
import { judge } from '../../src/expect/judge.ts';
import { judgeProbes } from '../../src/expect/judge-probes.ts';
import { pairsOf } from '../../src/expect/pairs.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { portNumber } from '../builders/address.ts';
import { cluster } from '../builders/cluster.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';
import { build, randomCluster } from '../builders/random-cluster.ts';
import { Random } from '../builders/random.ts';
import { service } from '../builders/service.ts';

const SEED = 20_261_128;

const SHOP = cluster({
  pods: [
    {
      ...pod({ name: 'web-1', labels: { app: 'web' }, ip: '10.0.0.1', ports: ['8080'] }),
      owner: { kind: 'Deployment', name: 'web' },
    },
    {
      ...pod({ name: 'web-2', labels: { app: 'web', canary: 'yes' }, ip: '10.0.0.2', ports: ['8080'] }),
      owner: { kind: 'Deployment', name: 'web' },
    },
    pod({ name: 'client', labels: { app: 'client' }, ip: '10.0.0.3' }),
    pod({ name: 'other', labels: { app: 'other' }, ip: '10.0.0.4' }),
  ],
  services: [service({ name: 'web', ip: '10.96.0.1', pods: { app: 'web' }, ports: ['80:8080'] })],
  policies: [policy({ pods: { app: 'web' }, ingress: [{ from: [{ pods: { app: 'client' } }], ports: ['8080'] }] })],
});

/** What generate-expectations writes. */
function generated(built: Cluster): string {
  return [...expectationChunks(built)].join('');
}

/** What fails of expectations, each `FROM TO PORT VERDICT`. */
function failuresOf(...lines: string[]): readonly string[][] {
  return failuresIn(SHOP, ...lines);
}

function failuresIn(shop: Cluster, ...lines: string[]): readonly string[][] {
  const rows = lines.map((line) => {
    const [from, to, port, verdict] = line.split(' ');
    return `- { from: "${from}", to: "${to}", port: "${port}", verdict: ${verdict} }`;
  });
  return judge(shop, parseExpectations(rows.join('\n'), 'e.yaml')).map(({ failures }) => [...failures]);
}

describe('judge', () => {
  test.each([
    ['a pod that may', 'default/client default/deploy/web 8080 allow', []],
    ['by a Service', 'default/client default/svc/web 80 allow', []],
    ['a pod that may not', 'default/other default/deploy/web 8080/TCP deny', []],
    ['from outside', '192.0.2.1 default/web-1 8080 deny', []],
    ['to outside', 'default/client 192.0.2.1 443 allow', []],
    ['within a workload', 'default/deploy/web default/deploy/web 8080 deny', []],
    [
      'an allowance that fails on both pods',
      'default/other default/deploy/web 8080 allow',
      ['default/other -> default/web-1 is denied', 'default/other -> default/web-2 is denied'],
    ],
    [
      'a denial that fails',
      'default/client default/web-1 8080 deny',
      ['default/client -> default/web-1 is allowed: ingress'],
    ],
    [
      'a denial where nobody listens',
      'default/other default/web-1 81 deny',
      [
        'default/other -> default/web-1 is denied, which proves nothing: default/web-1 does not serve 81/TCP; it serves 8080/TCP',
      ],
    ],
    [
      'a denial of another protocol',
      'default/other default/web-1 8080/UDP deny',
      ['default/other -> default/web-1 is denied, which proves nothing'],
    ],
  ])('%s', (_, line, want) => {
    const [failures = []] = failuresOf(line);
    expect(failures).toHaveLength(want.length);
    want.forEach((text, index) => {
      expect(failures[index]).toContain(text);
    });
  });

  test('counts the connections of workloads, but for those of a pod to itself', () => {
    const text = '- { from: default/deploy/web, to: default/deploy/web, port: 8080, verdict: deny }';
    expect(judge(SHOP, parseExpectations(text, 'e.yaml'))).toMatchObject([{ connections: 2 }]);
  });

  describe('by a Service, of whose pods one is open and one is closed', () => {
    const canary = policy({ name: 'canary', pods: { canary: 'yes' }, ingress: [] });
    const shop = { ...SHOP, policies: [canary] };

    test.each([
      ['allow', 'default/client -> default/service/web (default/web-2) is denied: ingress'],
      ['deny', 'default/client -> default/service/web (default/web-1) is allowed: no policy isolates either end'],
    ])('neither holds: %s', (verdict, failure) => {
      const [failures = []] = failuresIn(shop, `default/client default/svc/web 80 ${verdict}`);
      expect(failures).toHaveLength(1);
      expect(failures[0]).toContain(failure);
    });

    test('a pod behind it is not asked for itself', () => {
      const text = '- { from: default/web-1, to: default/svc/web, port: 80, verdict: deny }';
      expect(judge(shop, parseExpectations(text, 'e.yaml'))).toMatchObject([{ connections: 1, failures: [] }]);
    });
  });

  describe('between pods of two address families', () => {
    const ends = [
      pod({ name: 'web', labels: { app: 'web' }, ip: ['10.0.0.1', 'fd00::1'], ports: ['80'] }),
      pod({ name: 'client', ip: ['10.0.0.2', 'fd00::2'] }),
    ];
    const six = policy({ name: 'six', pods: { app: 'web' }, ingress: [{ from: [{ block: 'fd00::/64' }] }] });
    const shop = cluster({ pods: ends, policies: [six] });

    test('a connection is allowed that passes by one of them', () => {
      expect(failuresIn(shop, 'default/client default/web 80 allow')).toEqual([[]]);
    });

    test('a denial has to hold by both, and the family that fails is named', () => {
      const [failures = []] = failuresIn(shop, 'default/client default/web 80 deny');
      expect(failures).toEqual([expect.stringContaining('default/client -> default/web is allowed by IPv6: ingress')]);
    });

    test('the matrix and generated expectations are of either family', () => {
      expect(staticMatrix(shop, { protocol: 'TCP', port: portNumber(80) }).allowed[1]).toEqual([true, true]);
      expect(generated(shop)).toContain('from: default/client, to: default/web, port: 80/TCP, verdict: allow');
    });
  });

  test.each([
    ['default/nobody default/client 80 allow', 'e.yaml:1 no pod default/nobody'],
    ['default/client default/deploy/wbe 80 allow', 'did you mean default/deployment/web?'],
    ['default/client default/svc/web 81 allow', 'Service default/web has no port 81/TCP; it has 80/TCP'],
    ['default/client default/client 80 allow', 'of a pod to itself'],
  ])('refuses %s', (line, message) => {
    expect(() => failuresOf(line)).toThrow(message);
  });
});

describe('a file of expectations', () => {
  test.each([
    ['', 'e.yaml:1 is empty'],
    ['a: 1', 'want a list'],
    ['- { from: a/b, to: a/c, port: 80 }', 'e.yaml:1 [0].verdict: is required'],
    ['- { from: a/b, to: a/c, port: 80, verdict: maybe }', '[0].verdict: got "maybe", want allow or deny'],
    ['- { from: a/b, to: a/c, port: 0, verdict: deny }', '[0].port: got 0, want a port'],
    ['- { from: b, to: a/c, port: 80, verdict: deny }', '"b" is no endpoint'],
    ['- { from: a/b, to: a/c, port: 80, verdict: deny, x: 1 }', '[0].x: unknown field'],
    ['- { from: a/b, to: a/c, port: 80, verdict: allow }\n- { from: a/b }', 'e.yaml:2 [1].to: is required'],
  ])('refuses %s', (text, message) => {
    expect(() => parseExpectations(text, 'e.yaml')).toThrow(message);
  });
});

test('generated expectations name workloads, and pods where they differ', () => {
  const canary = policy({ name: 'canary', pods: { canary: 'yes' }, ingress: [{ from: [{ pods: {} }] }] });
  expect(generated({ ...SHOP, policies: [...SHOP.policies, canary] })).toBe(
    [
      '# Who reaches whom, as it was when this was written.',
      '- { from: default/web-1, to: default/web-2, port: 8080/TCP, verdict: allow }',
      '- { from: default/web-2, to: default/web-1, port: 8080/TCP, verdict: deny }',
      '- { from: default/client, to: default/deployment/web, port: 8080/TCP, verdict: allow }',
      '- { from: default/other, to: default/web-1, port: 8080/TCP, verdict: deny }',
      '- { from: default/other, to: default/web-2, port: 8080/TCP, verdict: allow }',
      '',
    ].join('\n'),
  );
});

test('generated expectations are an empty list where no pod serves a port', () => {
  const text = generated(cluster({ pods: [pod({ name: 'a', ip: '10.0.0.1' }), pod({ name: 'b', ip: '10.0.0.2' })] }));
  expect(text).toBe('# Who reaches whom, as it was when this was written.\n[]\n');
  expect(parseExpectations(text, 'e.yaml')).toEqual([]);
});

test('expectations of thousands of pods come a port at a time', () => {
  const pods = Array.from({ length: 3000 }, (_, index) =>
    pod({ name: `p${index}`, ip: `10.0.${index >> 8}.${index & 255}`, ports: ['80', '443'] }),
  );
  const rows = expectationChunks(cluster({ pods }))
    .take(4)
    .map((chunk) => chunk.split('- {').length - 1);
  expect([...rows]).toEqual([0, 2999, 2999, 2999]);
});

test(`generated expectations hold, and denials fail without policies (seeds from ${SEED})`, { timeout: 60_000 }, () => {
  let broken = 0;
  let rows = 0;
  for (let seed = SEED; seed < SEED + 25; seed += 1) {
    const built = build(randomCluster(new Random(seed)));
    const expectations = parseExpectations(generated(built), 'e.yaml');
    rows += expectations.length;
    expect(
      judge(built, expectations).flatMap(({ failures }) => failures),
      `seed ${seed}`,
    ).toEqual([]);
    const open = judge({ ...built, policies: [] }, expectations);
    const failed = open.filter(({ failures }) => failures.length > 0).map(({ expectation }) => expectation);
    expect(failed).toEqual(expectations.filter(({ verdict }) => verdict === 'deny'));
    broken += failed.length;
  }
  expect(rows).toBeGreaterThan(200);
  expect(broken).toBeGreaterThan(50);
});

describe('judgeProbes', () => {
  const [expectation] = parseExpectations(
    '- { from: default/other, to: default/web-1, port: 8080, verdict: deny }',
    'e',
  );
  const [pair] = expectation ? pairsOf(SHOP, expectation) : [];
  test.each([
    ['deny', 'timeout', 'connected', 0],
    ['deny', 'timeout', 'timeout', 1],
    ['deny', 'timeout', 'refused', 1],
    ['deny', 'unreachable', 'connected', 1],
    ['deny', 'connected', 'connected', 1],
    ['deny', 'refused', 'refused', 1],
    ['allow', 'connected', 'unreachable', 0],
    ['allow', 'refused', 'unreachable', 0],
    ['allow', 'timeout', 'connected', 1],
  ] as const)('%s: met %s, without policies %s: %i failures', (verdict, outcome, withoutPolicies, count) => {
    if (!expectation || !pair) throw new Error('bad test data');
    const asked = { ...expectation, verdict };
    const attempts = [{ outcome, reason: 'why', withoutPolicies }];
    const [result] = judgeProbes([asked], [{ expectation: asked, pair, attempts }]);
    expect(result?.failures).toHaveLength(count);
  });

  test.each([
    ['deny', 'timeout', 'connected', 1],
    ['deny', 'timeout', 'timeout', 0],
    ['allow', 'timeout', 'connected', 0],
    ['allow', 'timeout', 'timeout', 1],
  ] as const)('%s: met %s by one family, %s by the other: %i failures', (verdict, one, other, count) => {
    if (!expectation || !pair) throw new Error('bad test data');
    const asked = { ...expectation, verdict };
    const attempts = [one, other].map((outcome) => ({ outcome, reason: 'why', withoutPolicies: 'connected' as const }));
    const [result] = judgeProbes([asked], [{ expectation: asked, pair, attempts }]);
    expect(result?.failures).toHaveLength(count);
  });
});
