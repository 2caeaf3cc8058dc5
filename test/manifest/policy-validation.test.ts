import { describe, expect, test } from 'vitest';
import { issueText } from '../../src/manifest/issue.ts';
import { issuesOf, load, policy, shortly } from './builders.ts';

const LABEL_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const DNS_LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const CIDR_RULE = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

interface Case {
  readonly name: string;
  readonly spec: string;
  readonly found: readonly string[];
}

const port = (fields: string): string => `ingress:\n- ports:\n  - ${fields}`;
const peer = (fields: string): string => `egress:\n- to:\n  - ${fields}`;
const expression = (fields: string): string => `podSelector:\n  matchExpressions:\n  - ${fields}`;

const rejected: readonly Case[] = [
  {
    name: 'In without values',
    spec: expression('{key: a, operator: In}'),
    found: [
      "7 spec.podSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
  },
  {
    name: 'NotIn with no values',
    spec: expression('{key: a, operator: NotIn, values: []}'),
    found: [
      "7 spec.podSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
  },
  {
    name: 'Exists with values',
    spec: expression('{key: a, operator: Exists, values: [b]}'),
    found: [
      "7 spec.podSelector.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
    ],
  },
  {
    name: 'DoesNotExist with values, its line',
    spec: 'podSelector:\n  matchExpressions:\n  - key: a\n    operator: DoesNotExist\n    values:\n    - b',
    found: [
      "9 spec.podSelector.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
    ],
  },
  {
    name: 'an unknown operator',
    spec: expression('{key: a, operator: Equals, values: [b]}'),
    found: ['7 spec.podSelector.matchExpressions[0].operator: Invalid value: "Equals": not a valid selector operator'],
  },
  {
    name: 'no operator and no key',
    spec: expression('{}'),
    found: [
      '7 spec.podSelector.matchExpressions[0].operator: Invalid value: "": not a valid selector operator',
      '7 spec.podSelector.matchExpressions[0].key: Invalid value: "": name part must be non-empty',
      `7 spec.podSelector.matchExpressions[0].key: Invalid value: "": name part ${LABEL_RULE}`,
    ],
  },
  {
    name: 'a bad value in an expression',
    spec: expression('{key: a, operator: In, values: [ok, "not ok"]}'),
    found: [`7 spec.podSelector.matchExpressions[0].values[1]: Invalid value: "not ok": ${VALUE_RULE}`],
  },
  {
    name: 'a bad label key',
    spec: 'podSelector:\n  matchLabels:\n    ok: a\n    -app: b',
    found: [`8 spec.podSelector.matchLabels: Invalid value: "-app": name part ${LABEL_RULE}`],
  },
  {
    name: 'a label key with a bad prefix',
    spec: 'podSelector:\n  matchLabels:\n    Example_com/app: b',
    found: [`7 spec.podSelector.matchLabels: Invalid value: "Example_com/app": prefix part ${SUBDOMAIN_RULE}`],
  },
  {
    name: 'a label key with two slashes',
    spec: 'podSelector:\n  matchLabels:\n    a/b/c: b',
    found: [
      `7 spec.podSelector.matchLabels: Invalid value: "a/b/c": a qualified name ${LABEL_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ],
  },
  {
    name: 'a label value that is too long',
    spec: `podSelector:\n  matchLabels:\n    app: ${'x'.repeat(64)}`,
    found: [`7 spec.podSelector.matchLabels: Invalid value: "${'x'.repeat(64)}": must be no more than 63 bytes`],
  },
  { name: 'an empty peer', spec: peer('{}'), found: ['7 spec.egress[0].to[0]: Required value: must specify a peer'] },
  {
    name: 'a peer of null selectors',
    spec: peer('{podSelector: null, namespaceSelector: null}'),
    found: ['7 spec.egress[0].to[0]: Required value: must specify a peer'],
  },
  {
    name: 'an ipBlock with a selector',
    spec: 'ingress:\n- from:\n  - podSelector: {}\n  -\n    ipBlock: {cidr: 10.0.0.0/8}\n    podSelector: {}',
    found: ['8 spec.ingress[0].from[1]: Forbidden: may not specify both ipBlock and another peer'],
  },
  { name: 'an empty cidr', spec: peer('ipBlock: {}'), found: ['7 spec.egress[0].to[0].ipBlock.cidr: Required value'] },
  ...['10.0.0.0/33', '10.0.0.0', '10.0.0/8', 'fe80::/129', '10.0.0.0/-1', 'fe80::1%eth0/64', 'x'].map((cidr) => ({
    name: `the cidr ${cidr}`,
    spec: peer(`ipBlock: {cidr: "${cidr}"}`),
    found: [`7 spec.egress[0].to[0].ipBlock.cidr: Invalid value: "${cidr}": ${CIDR_RULE}`],
  })),
  {
    name: 'excepts outside, equal, of the other family and unreadable',
    spec: peer(
      'ipBlock:\n      cidr: 10.0.0.0/8\n      except:\n      - 11.0.0.0/16\n      - 10.0.0.0/8\n      - fd00::/64\n      - nonsense\n      - 10.1.0.0/16',
    ),
    found: [
      '10 spec.egress[0].to[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
      '11 spec.egress[0].to[0].ipBlock.except[1]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
      '12 spec.egress[0].to[0].ipBlock.except[2]: Invalid value: "fd00::/64": must be a strict subset of `cidr`',
      `13 spec.egress[0].to[0].ipBlock.except[3]: Invalid value: "nonsense": ${CIDR_RULE}`,
    ],
  },
  {
    name: 'the protocol ICMP',
    spec: port('protocol: ICMP'),
    found: ['7 spec.ingress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"'],
  },
  {
    name: 'a protocol in lower case',
    spec: port('{protocol: tcp, port: 80}'),
    found: ['7 spec.ingress[0].ports[0].protocol: Unsupported value: "tcp": supported values: "TCP", "UDP", "SCTP"'],
  },
  ...[0, 65536, -1].map((number) => ({
    name: `port ${number}`,
    spec: port(`port: ${number}`),
    found: [`7 spec.ingress[0].ports[0].port: Invalid value: ${number}: must be between 1 and 65535, inclusive`],
  })),
  {
    name: 'a port in quotes',
    spec: port('port: "80"'),
    found: ['7 spec.ingress[0].ports[0].port: Invalid value: "80": must contain at least one letter (a-z)'],
  },
  {
    name: 'a port name that is too long',
    spec: port('port: abcdefghijklmnop'),
    found: ['7 spec.ingress[0].ports[0].port: Invalid value: "abcdefghijklmnop": must be no more than 15 bytes'],
  },
  {
    name: 'a port name with everything wrong',
    spec: port('port: "-_--"'),
    found: [
      '7 spec.ingress[0].ports[0].port: Invalid value: "-_--": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      '7 spec.ingress[0].ports[0].port: Invalid value: "-_--": must contain at least one letter (a-z)',
      '7 spec.ingress[0].ports[0].port: Invalid value: "-_--": must not contain consecutive hyphens',
      '7 spec.ingress[0].ports[0].port: Invalid value: "-_--": must not begin or end with a hyphen',
    ],
  },
  {
    name: 'endPort before port',
    spec: port('port: 80\n    endPort: 79'),
    found: ['8 spec.ingress[0].ports[0].endPort: Invalid value: 79: must be greater than or equal to `port`'],
  },
  {
    name: 'endPort beyond the last port',
    spec: port('{port: 80, endPort: 65536}'),
    found: ['7 spec.ingress[0].ports[0].endPort: Invalid value: 65536: must be between 1 and 65535, inclusive'],
  },
  {
    name: 'endPort without port',
    spec: port('endPort: 80'),
    found: ['7 spec.ingress[0].ports[0].endPort: Invalid value: 80: may not be specified when `port` is not specified'],
  },
  {
    name: 'endPort with a named port',
    spec: port('{port: http, endPort: 80}'),
    found: ['7 spec.ingress[0].ports[0].endPort: Invalid value: 80: may not be specified when `port` is non-numeric'],
  },
  {
    name: 'an unknown policy type',
    spec: 'podSelector: {}\npolicyTypes:\n- Ingress\n- ingress',
    found: ['8 spec.policyTypes[1]: Unsupported value: "ingress": supported values: "Ingress", "Egress"'],
  },
  {
    name: 'three policy types',
    spec: 'policyTypes: [Ingress, Egress, Ingress]',
    found: [
      '5 spec.policyTypes: Invalid value: []networking.PolicyType{"Ingress", "Egress", "Ingress"}: may not specify more than two policyTypes',
    ],
  },
  {
    name: 'faults in several places, in the order of the API server',
    spec: 'egress:\n- to:\n  - {}\ningress:\n- from:\n  - {}\n  ports:\n  - port: 0',
    found: [
      '12 spec.ingress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      '10 spec.ingress[0].from[0]: Required value: must specify a peer',
      '7 spec.egress[0].to[0]: Required value: must specify a peer',
    ],
  },
];

const undecodable: readonly Case[] = [
  { name: 'an unknown field', spec: 'ingres: []', found: ['5 spec.ingres: unknown field "spec.ingres"'] },
  {
    name: 'a field one level too deep',
    spec: 'ingress:\n- from:\n  - podSelector:\n      app: web',
    found: ['8 spec.ingress[0].from[0].podSelector.app: unknown field "spec.ingress[0].from[0].podSelector.app"'],
  },
  {
    name: 'names are case-sensitive',
    spec: 'podselector: {}',
    found: ['5 spec.podselector: unknown field "spec.podselector"'],
  },
  {
    name: 'a boolean label (yes)',
    spec: 'podSelector:\n  matchLabels:\n    enabled: yes',
    found: [
      '7 spec.podSelector.matchLabels.enabled: json: cannot unmarshal bool into Go struct field LabelSelector.spec.podSelector.matchLabels of type string',
    ],
  },
  {
    name: 'a number for a protocol',
    spec: port('protocol: 6'),
    found: [
      '7 spec.ingress[0].ports[0].protocol: json: cannot unmarshal number into Go struct field NetworkPolicyPort.spec.ingress.ports.protocol of type v1.Protocol',
    ],
  },
  {
    name: 'a boolean port',
    spec: port('port: on'),
    found: [
      '7 spec.ingress[0].ports[0].port: json: cannot unmarshal bool into Go struct field NetworkPolicyPort.spec.ingress.ports.port of type int32',
    ],
  },
  {
    name: 'half a port',
    spec: port('{port: 80, endPort: 80.5}'),
    found: [
      '7 spec.ingress[0].ports[0].endPort: json: cannot unmarshal number 80.5 into Go struct field NetworkPolicyPort.spec.ingress.ports.endPort of type int32',
    ],
  },
  {
    name: 'an object where a list is due',
    spec: 'ingress: {}',
    found: [
      '5 spec.ingress: json: cannot unmarshal object into Go struct field NetworkPolicySpec.spec.ingress of type []v1.NetworkPolicyIngressRule',
    ],
  },
  {
    name: 'a text where a list is due',
    spec: 'policyTypes: Ingress',
    found: [
      '5 spec.policyTypes: json: cannot unmarshal string into Go struct field NetworkPolicySpec.spec.policyTypes of type []v1.PolicyType',
    ],
  },
];

describe('a policy that the API server rejects', () => {
  test.each(rejected)('$name', ({ spec, found }) => {
    expect(shortly(issuesOf(policy(spec)))).toEqual(found);
    expect(load(policy(spec)).cluster.policies).toEqual([]);
  });
  test.each(undecodable)('$name', ({ spec, found }) => {
    const issues = issuesOf(policy(spec));
    expect(shortly(issues)).toEqual(found);
    expect(issues.map(({ type }) => type)).toEqual(found.map(() => 'StrictDecoding'));
    expect(load(policy(spec)).cluster.policies).toEqual([]);
  });
});

describe('a policy whose metadata the API server rejects', () => {
  const withMetadata = (metadata: string): string =>
    `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  ${metadata}\nspec: {}\n`;
  test.each([
    { metadata: 'name: Deny_All', found: [`4 metadata.name: Invalid value: "Deny_All": ${SUBDOMAIN_RULE}`] },
    {
      metadata: '{name: a, namespace: My.NS}',
      found: [`4 metadata.namespace: Invalid value: "My.NS": ${DNS_LABEL_RULE}`],
    },
    {
      metadata: '{name: a, namespace: a.b}',
      found: ['4 metadata.namespace: Invalid value: "a.b": must not contain dots'],
    },
    { metadata: 'labels: {a: b}', found: ['4 metadata.name: Required value: name or generateName is required'] },
    { metadata: '{name: a, labels: {a: "b c"}}', found: [`4 metadata.labels: Invalid value: "b c": ${VALUE_RULE}`] },
    {
      metadata: '{name: a, annotations: {"a b": ""}}',
      found: [`4 metadata.annotations: Invalid value: "a b": name part ${LABEL_RULE}`],
    },
    { metadata: '{name: a, label: {}}', found: ['4 metadata.label: unknown field "metadata.label"'] },
    {
      metadata: 'name: 5',
      found: [
        '4 metadata.name: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string',
      ],
    },
  ])('$metadata', ({ metadata, found }) => {
    // "metadata" stands in line 3: what is missing is reported there.
    const lines = found.map((text) => (text.includes('Required') ? text.replace(/^4/, '3') : text));
    expect(shortly(issuesOf(withMetadata(metadata)))).toEqual(lines);
  });
});

describe('a policy that the API server takes', () => {
  test.each([
    ['duplicate policyTypes', 'policyTypes: [Ingress, Ingress]'],
    ['an empty rule', 'ingress: [{}]'],
    ['a null rule', 'ingress:\n-'],
    ['empty ports and peers', 'ingress: [{ports: [], from: []}]'],
    ['null everywhere', 'podSelector: null\ningress: null\negress:\npolicyTypes: null'],
    ['a null matchLabels', 'podSelector: {matchLabels: null, matchExpressions: null}'],
    ['overlapping rules', 'ingress: [{ports: [{port: 80}]}, {ports: [{port: 80, endPort: 90}]}]'],
    ['an octal port', 'ingress: [{ports: [{port: 0120}]}]'],
    ['a date as a label', 'podSelector: {matchLabels: {since: 2024-01-01}}'],
    ['a null label', 'podSelector: {matchLabels: {app: null}}'],
    ['an ambiguous CIDR', 'egress: [{to: [{ipBlock: {cidr: 10.0.0.1/24}}]}]'],
    ['leading zeros in a CIDR', 'egress: [{to: [{ipBlock: {cidr: 010.0.0.0/08}}]}]'],
  ])('%s', (_, spec) => {
    expect(issuesOf(policy(spec))).toEqual([]);
    expect(load(policy(spec)).cluster.policies).toHaveLength(1);
  });
  test('without a spec', () => {
    const text =
      'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, creationTimestamp: null}\n';
    expect(issuesOf(text)).toEqual([]);
  });
  test.each([
    [
      '10.0.0.1/24',
      ['CIDR value "10.0.0.1/24" is ambiguous in this context (should be "10.0.0.0/24" or "10.0.0.1/32"?)'],
    ],
    ['fd00::1/64', ['CIDR value "fd00::1/64" is ambiguous in this context (should be "fd00::/64" or "fd00::1/128"?)']],
    [
      '192.012.2.0/24',
      [
        'non-standard CIDR value "192.012.2.0/24" will be considered invalid in a future Kubernetes release: use "192.12.2.0/24"',
      ],
    ],
    ['10.0.0.0/24', []],
    ['::/0', []],
  ])('warns of %s', (cidr, warnings) => {
    const text = policy(`egress:\n- to:\n  - ipBlock: {cidr: "${cidr}"}`);
    const place = 'f.yaml:7: NetworkPolicy default/deny: spec.egress[0].to[0].ipBlock.cidr: ';
    expect(load(text).warnings).toEqual(warnings.map((warning) => place + warning));
  });
});

test.each([
  [
    policy(port('protocol: ICMP')),
    'f.yaml:7 NetworkPolicy default/deny: spec.ingress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"',
  ],
  [policy('ingres: []'), 'f.yaml:5 NetworkPolicy default/deny: unknown field "spec.ingres"'],
  ['a: [', 'f.yaml:1 '],
])('an issue as a line of text (%#)', (text, line) => {
  expect(issuesOf(text).map(issueText).join('\n')).toContain(line);
});
