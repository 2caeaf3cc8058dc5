import { describe, expect, test } from 'vitest';
import { RULE_IDS } from '../../src/lint/lint.ts';
import { lintTexts, SHOP, shopPolicy } from './lint-fixture.ts';

const DENY = shopPolicy('podSelector: {}', 'deny-all');
const DNS = '{to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}]}';

/** Findings but for `no-default-deny`, as `rule severity line`. */
function found(...policies: string[]): string[] {
  return lintTexts([SHOP, policies.join('')], ['no-default-deny']).map(
    ({ rule, severity, line }) => `${rule} ${severity} ${line}`,
  );
}

interface Case {
  readonly name: string;
  readonly policies: readonly string[];
  readonly want: readonly string[];
}

const CASES: readonly Case[] = [
  { name: 'a policy that fits', policies: [shopPolicy('podSelector: {matchLabels: {app: web}}')], want: [] },
  {
    name: 'a policy that selects nothing',
    policies: [shopPolicy('podSelector: {matchLabels: {role: database}}')],
    want: ['selects-nothing warning 5'],
  },
  {
    name: 'a value that is nearly one',
    policies: [shopPolicy('podSelector: {matchLabels: {app: wbe}}')],
    want: ['label-typo warning 5'],
  },
  {
    name: 'a key that is nearly one',
    policies: [shopPolicy('podSelector: {matchLabels: {apps: web}}')],
    want: ['label-typo warning 5'],
  },
  {
    name: 'NotIn of a value that nobody has, which selects everybody',
    policies: [shopPolicy('podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [wbe]}]}')],
    want: [],
  },
  {
    name: 'a peer that matches no pod',
    policies: [shopPolicy('podSelector: {}\ningress:\n- from:\n  - podSelector: {matchLabels: {app: gateway}}')],
    want: ['peer-matches-nothing warning 8'],
  },
  {
    name: 'a peer that nearly matches a pod',
    policies: [shopPolicy('podSelector: {}\ningress:\n- from:\n  - podSelector: {matchLabels: {app: aip}}')],
    want: ['label-typo warning 8'],
  },
  {
    name: 'a peer that nearly matches a namespace',
    policies: [shopPolicy('podSelector: {}\ningress:\n- from:\n  - namespaceSelector: {matchLabels: {team: wacth}}')],
    want: ['label-typo warning 8'],
  },
  {
    name: 'a namespace that may be elsewhere',
    policies: [shopPolicy('podSelector: {}\ningress:\n- from:\n  - namespaceSelector: {matchLabels: {name: ingress}}')],
    want: ['peer-matches-nothing info 8'],
  },
  {
    name: 'pods of a namespace whose pods are not known',
    policies: [
      shopPolicy(
        'podSelector: {}\ningress:\n- from:\n  - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}\n    podSelector: {matchLabels: {k8s-app: kube-dns}}',
      ),
    ],
    want: [],
  },
  {
    name: "the Service's port",
    policies: [shopPolicy('podSelector: {matchLabels: {app: web}}\ningress:\n- ports:\n  - port: 80')],
    want: ['service-port warning 8'],
  },
  {
    name: "the Service's port towards its pods",
    policies: [
      shopPolicy(
        `podSelector: {matchLabels: {app: api}}\npolicyTypes: [Egress]\negress:\n- ${DNS}\n- to:\n  - podSelector: {matchLabels: {app: web}}\n  ports:\n  - port: 80`,
      ),
    ],
    want: ['service-port warning 12'],
  },
  {
    name: "the Service's port beside the pod's",
    policies: [shopPolicy('podSelector: {matchLabels: {app: web}}\ningress:\n- ports:\n  - port: 80\n  - port: 8080')],
    want: [],
  },
  {
    name: "the Service's port towards addresses as well",
    policies: [
      shopPolicy(
        `podSelector: {}\npolicyTypes: [Egress]\negress:\n- ${DNS}\n- to:\n  - podSelector: {matchLabels: {app: web}}\n  - ipBlock: {cidr: 203.0.113.0/24}\n  ports:\n  - port: 80`,
      ),
    ],
    want: [],
  },
  {
    name: 'a named port that no pod has',
    policies: [shopPolicy('podSelector: {matchLabels: {app: api}}\ningress:\n- ports:\n  - port: http')],
    want: ['unknown-named-port warning 8'],
  },
  {
    name: 'a named port of another protocol',
    policies: [
      shopPolicy('podSelector: {matchLabels: {app: web}}\ningress:\n- ports:\n  - {port: http, protocol: UDP}'),
    ],
    want: ['unknown-named-port warning 8'],
  },
  {
    name: 'a named port that one of the pods has',
    policies: [shopPolicy('podSelector: {}\ningress:\n- ports:\n  - port: http')],
    want: [],
  },
  {
    name: 'a ClusterIP',
    policies: [
      shopPolicy('podSelector: {}\npolicyTypes: [Egress]\negress:\n- to:\n  - ipBlock: {cidr: 10.96.0.80/32}'),
    ],
    want: ['cluster-ip warning 9'],
  },
  {
    name: 'everything outside, which has the ClusterIP as well',
    policies: [shopPolicy('podSelector: {}\npolicyTypes: [Egress]\negress:\n- to:\n  - ipBlock: {cidr: 0.0.0.0/0}')],
    want: [],
  },
  {
    name: 'an except that another peer undoes',
    policies: [
      shopPolicy(
        'podSelector: {}\ningress:\n- from:\n  - ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.64/26]}\n  - ipBlock: {cidr: 192.0.2.0/25}',
      ),
    ],
    want: ['except-without-effect warning 8'],
  },
  {
    name: 'an except that another policy undoes',
    policies: [
      shopPolicy('podSelector: {}\ningress:\n- from:\n  - ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.64/26]}'),
      shopPolicy('podSelector: {}\ningress:\n- from:\n  - ipBlock: {cidr: 192.0.2.64/26}', 'q'),
    ],
    want: ['except-without-effect warning 8'],
  },
  {
    name: 'an except that is opened for another port only',
    policies: [
      shopPolicy(
        'podSelector: {}\ningress:\n- from:\n  - ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.64/26]}\n- from:\n  - ipBlock: {cidr: 192.0.2.64/26}\n  ports: [{port: 8080}]',
      ),
    ],
    want: [],
  },
  {
    name: 'egress without DNS',
    policies: [
      shopPolicy(
        'podSelector: {matchLabels: {app: api}}\npolicyTypes: [Egress]\negress:\n- to:\n  - podSelector: {matchLabels: {app: web}}',
      ),
    ],
    want: ['egress-without-dns warning 7'],
  },
  {
    name: 'egress whose DNS another policy allows',
    policies: [
      shopPolicy(
        'podSelector: {matchLabels: {app: api}}\npolicyTypes: [Egress]\negress:\n- to:\n  - podSelector: {matchLabels: {app: web}}',
      ),
      shopPolicy(`podSelector: {}\npolicyTypes: [Egress]\negress:\n- ${DNS}`, 'dns'),
    ],
    want: [],
  },
  {
    name: 'DNS by TCP alone',
    policies: [
      shopPolicy(
        'podSelector: {}\npolicyTypes: [Egress]\negress:\n- to:\n  - namespaceSelector: {}\n  ports: [{port: 53}]',
      ),
    ],
    want: ['egress-without-dns warning 7'],
  },
  {
    name: 'no egress at all',
    policies: [shopPolicy('podSelector: {}\npolicyTypes: [Egress]')],
    want: [],
  },
  {
    name: 'egress to addresses alone',
    policies: [
      shopPolicy('podSelector: {}\npolicyTypes: [Egress]\negress:\n- to:\n  - ipBlock: {cidr: 203.0.113.0/24}'),
    ],
    want: [],
  },
  {
    name: 'egress: []',
    policies: [shopPolicy('podSelector: {}\negress: []')],
    want: ['egress-not-isolated warning 6'],
  },
  {
    name: 'egress: [] with policyTypes',
    policies: [shopPolicy('podSelector: {}\negress: []\npolicyTypes: [Egress]')],
    want: [],
  },
  {
    name: 'egress rules that policyTypes leaves out',
    policies: [shopPolicy('podSelector: {}\npolicyTypes: [Ingress]\negress:\n- {}')],
    want: ['rules-ignored warning 7'],
  },
  {
    name: 'a dash too many',
    policies: [
      shopPolicy(
        'podSelector: {}\ningress:\n- from:\n  - namespaceSelector: {matchLabels: {team: watch}}\n  - podSelector: {matchLabels: {app: monitor}}',
      ),
    ],
    want: ['and-or-dash warning 9'],
  },
  {
    name: 'two items that both match',
    policies: [
      shopPolicy(
        'podSelector: {}\ningress:\n- from:\n  - namespaceSelector: {matchLabels: {team: watch}}\n  - podSelector: {matchLabels: {app: api}}',
      ),
    ],
    want: ['and-or-dash info 9'],
  },
  {
    name: 'one item',
    policies: [
      shopPolicy(
        'podSelector: {}\ningress:\n- from:\n  - namespaceSelector: {matchLabels: {team: watch}}\n    podSelector: {matchLabels: {app: monitor}}',
      ),
    ],
    want: [],
  },
  {
    name: 'a rule that a wider policy makes needless',
    policies: [
      shopPolicy(
        'podSelector: {matchLabels: {app: web}}\ningress:\n- from:\n  - podSelector: {matchLabels: {app: api}}\n  ports: [{port: 8080}]',
      ),
      shopPolicy('podSelector: {}\ningress:\n- from:\n  - podSelector: {}', 'wide'),
    ],
    want: ['shadowed-rule warning 7'],
  },
  {
    name: 'two rules that are alike: the later one',
    policies: [shopPolicy('podSelector: {}\ningress:\n- ports: [{port: 8080}]\n- ports: [{port: 8080}]')],
    want: ['shadowed-rule warning 8'],
  },
  {
    name: 'rules for other pods',
    policies: [
      shopPolicy('podSelector: {matchLabels: {app: web}}\ningress:\n- ports: [{port: 8080}]'),
      shopPolicy('podSelector: {matchLabels: {app: api}}\ningress:\n- {}', 'api'),
    ],
    want: [],
  },
];

describe('lint', () => {
  test.each(CASES)('$name: $want', ({ policies, want }) => {
    expect(found(...policies)).toEqual(want);
  });

  test('has a case for each rule, and one in which it says nothing', () => {
    const reported = new Set(CASES.flatMap(({ want }) => want.map((text) => text.split(' ')[0])));
    expect(RULE_IDS.filter((id) => !reported.has(id))).toEqual(['no-default-deny']);
  });

  test('names what is meant', () => {
    const [typo] = lintTexts([SHOP, shopPolicy('podSelector: {matchLabels: {app: wbe}}')], ['no-default-deny']);
    expect(typo).toMatchObject({
      file: '1.yaml',
      name: 'p',
      message: 'podSelector app=wbe selects no pod of namespace shop',
      fix: 'did you mean app=web instead of app=wbe?',
    });
  });

  test('finds namespaces that are open, and none that a policy closes', () => {
    const namespaces = (...policies: string[]) =>
      lintTexts([SHOP, policies.join('')])
        .filter(({ rule }) => rule === 'no-default-deny')
        .map(({ name, line, severity }) => `${name} ${line} ${severity}`);
    expect(namespaces()).toEqual(['shop 2 info', 'watch 4 info']);
    expect(namespaces(DENY)).toEqual(['watch 4 info']);
    expect(namespaces(shopPolicy('podSelector: {matchLabels: {app: web}}'))).toContain('shop 2 info');
  });

  test('says nothing about selectors where there are no pods', () => {
    expect(lintTexts([shopPolicy('podSelector: {matchLabels: {app: web}}')])).toEqual([]);
  });

  test.each([
    ['a rule that the policy names', '{netpol-lab.dev/lint-ignore: "shadowed-rule, label-typo"}', 0],
    ['no other rule', '{netpol-lab.dev/lint-ignore: shadowed-rule}', 1],
  ])('silences %s', (_, annotations, count) => {
    const typo = shopPolicy('podSelector: {matchLabels: {app: wbe}}', 'p', annotations);
    expect(lintTexts([SHOP, typo], ['no-default-deny'])).toHaveLength(count);
  });
});
