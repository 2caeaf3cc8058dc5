import { describe, expect, test } from 'vitest';
import { AddressPool } from '../../src/manifest/address-pool.ts';
import { podKey } from '../../src/model/pod.ts';
import { selectorText } from '../../src/model/selector.ts';
import { issuesOf, load, pod, policy, shortly, workload } from './builders.ts';

const names = (text: string): string[] => load(text).cluster.pods.map(({ name }) => name);
const SAFE = '[bcdfghjklmnpqrstvwxz2456789]';

describe('policies', () => {
  test.each([
    ['{}', 'isolates', 'ignored'],
    ['egress: []', 'isolates', 'ignored'],
    ['egress: [{}]', 'isolates', 'isolates'],
    ['policyTypes: []', 'isolates', 'ignored'],
    ['policyTypes: [Egress]\ningress: [{}]', 'ignored', 'isolates'],
    ['policyTypes: [Egress, Ingress]', 'isolates', 'isolates'],
  ])('%s: ingress %s, egress %s', (spec, ingress, egress) => {
    const [built] = load(policy(spec)).cluster.policies;
    expect([built?.ingress.kind, built?.egress.kind]).toEqual([ingress, egress]);
  });
  test('rules, peers and ports with their defaults and lines', () => {
    const spec =
      'podSelector: {matchLabels: {app: web}, matchExpressions: [{key: a, operator: NotIn, values: [b]}]}\n' +
      'ingress:\n- from:\n  - podSelector:\n  - namespaceSelector: {}\n  - namespaceSelector: {}\n    podSelector: {matchLabels: {a: b}}\n' +
      '  - ipBlock: {cidr: 10.0.0.9/8, except: [10.1.0.0/16]}\n  ports:\n  - port: 80\n  - {protocol: UDP, port: 1, endPort: 5}\n  - port: http\n  - protocol: SCTP\n-\n';
    const text = policy(spec.replace('- podSelector:\n', '- podSelector: {}\n'));
    const [built] = load(text).cluster.policies;
    expect(selectorText(built?.podSelector ?? { requirements: [] })).toBe('app=web,a!=b');
    const line = (at: number): unknown => ({ file: 'f.yaml', line: at });
    expect(built?.ingress).toMatchObject({
      kind: 'isolates',
      rules: [
        {
          index: 0,
          source: line(7),
          peers: {
            kind: 'list',
            peers: [
              { kind: 'pods', namespaces: { kind: 'own' }, pods: { requirements: [] }, source: line(8) },
              { kind: 'pods', namespaces: { kind: 'selected' }, pods: { requirements: [] }, source: line(9) },
              {
                kind: 'pods',
                namespaces: { kind: 'selected' },
                pods: { requirements: [{ key: 'a' }] },
                source: line(10),
              },
              { kind: 'block', cidr: { text: '10.0.0.0/8' }, except: [{ text: '10.1.0.0/16' }], source: line(12) },
            ],
          },
          ports: {
            kind: 'list',
            ports: [
              { protocol: 'TCP', port: { kind: 'range', first: 80, last: 80 }, source: line(14) },
              { protocol: 'UDP', port: { kind: 'range', first: 1, last: 5 }, source: line(15) },
              { protocol: 'TCP', port: { kind: 'named', name: 'http' }, source: line(16) },
              { protocol: 'SCTP', port: { kind: 'any' }, source: line(17) },
            ],
          },
        },
        { index: 1, source: line(18), peers: { kind: 'any' }, ports: { kind: 'any' } },
      ],
    });
  });
});

describe('workloads', () => {
  test.each([
    ['Deployment', 'apps/v1', '', 1, `^web-${SAFE}{1,10}-${SAFE}{5}$`],
    ['ReplicaSet', 'apps/v1', 'replicas: 3', 3, `^web-${SAFE}{5}$`],
    ['ReplicationController', 'v1', 'replicas: 2', 2, `^web-${SAFE}{5}$`],
    ['StatefulSet', 'apps/v1', 'replicas: 2', 2, '^web-[01]$'],
    ['DaemonSet', 'apps/v1', '', 1, `^web-${SAFE}{5}$`],
    ['Job', 'batch/v1', '', 1, `^web-${SAFE}{5}$`],
    ['Job', 'batch/v1', 'parallelism: 3, completions: 2', 2, `^web-${SAFE}{5}$`],
    ['Job', 'batch/v1', 'parallelism: 2, completions: 2, completionMode: Indexed', 2, `^web-[01]-${SAFE}{5}$`],
    ['Job', 'batch/v1', 'suspend: true', 0, ''],
    ['Deployment', 'apps/v1', 'replicas: 0', 0, ''],
  ])('%s (%s, %s): %i pods', (kind, apiVersion, spec, count, pattern) => {
    const { cluster, issues } = load(workload(kind, spec, apiVersion));
    expect(issues).toEqual([]);
    expect(cluster.pods).toHaveLength(count);
    expect(new Set(cluster.pods.map(podKey)).size).toBe(count);
    for (const built of cluster.pods) {
      expect(built.name).toMatch(new RegExp(pattern));
      expect(built.owner).toEqual({ kind, name: 'web' });
      expect(built.labels.get('app')).toBe('web');
      expect(built.addresses).toHaveLength(2);
    }
  });
  test('labels and hostnames that controllers set', () => {
    const [deployed] = load(workload('Deployment')).cluster.pods;
    expect(deployed?.name.split('-')[1]).toBe(deployed?.labels.get('pod-template-hash'));
    const [, second] = load(workload('StatefulSet', 'replicas: 2, serviceName: db')).cluster.pods;
    expect([second?.hostname, second?.subdomain]).toEqual(['web-1', 'db']);
    expect(second?.labels.get('statefulset.kubernetes.io/pod-name')).toBe('web-1');
    expect(second?.labels.get('apps.kubernetes.io/pod-index')).toBe('1');
    const [job] = load(workload('Job', '', 'batch/v1')).cluster.pods;
    expect([job?.labels.get('batch.kubernetes.io/job-name'), job?.labels.get('job-name')]).toEqual(['web', 'web']);
  });
  test.each(['Deployment', 'ReplicaSet', 'StatefulSet'])(
    'one more replica of a %s keeps the names of the others',
    (kind) => {
      const before = names(workload(kind, 'replicas: 40'));
      expect(names(workload(kind, 'replicas: 41')).slice(0, 40)).toEqual(before);
    },
  );
  test.each([
    ['', 1],
    ['suspend: true, ', 0],
  ])('a CronJob (%s) has %i pods of one Job', (more, count) => {
    const text = `{apiVersion: batch/v1, kind: CronJob, metadata: {name: tick}, spec: {${more}schedule: "* * * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: c, image: i}]}}}}}}`;
    const { pods } = load(text).cluster;
    expect(pods).toHaveLength(count);
    for (const { name, owner } of pods) {
      expect(name).toMatch(new RegExp(`^tick-[0-9]{8}-${SAFE}{5}$`));
      expect(owner).toEqual({ kind: 'CronJob', name: 'tick' });
    }
  });
  test.each(['', 'schedule: "", '])('a CronJob (%s) without a schedule is refused', (schedule) => {
    const text = `{apiVersion: batch/v1, kind: CronJob, metadata: {name: tick}, spec: {${schedule}jobTemplate: {spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: c, image: i}]}}}}}}`;
    expect(shortly(issuesOf(text))).toEqual(['1 spec.schedule: Required value']);
  });
  test.each([
    [
      'a selector that does not match',
      '{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {c: d}}, spec: {containers: [{name: c, image: i}]}}}}',
      [
        '1 spec.template.metadata.labels: Invalid value: map[string]string{"c":"d"}: `selector` does not match template `labels`',
      ],
    ],
    [
      'no selector, no containers',
      '{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template: {}}}',
      [
        '1 spec.selector: Required value',
        '1 spec.template.metadata.labels: Invalid value: map[string]string{}: `selector` does not match template `labels`',
        '1 spec.template.spec.containers: Required value',
      ],
    ],
    [
      'a Job that restarts for ever',
      '{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {template: {spec: {containers: [{name: c, image: i}]}}}}',
      ['1 spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    ['a typo', workload('Deployment', 'replica: 2'), ['1 spec.replica: unknown field "spec.replica"']],
    [
      'fewer than none',
      workload('Deployment', 'replicas: -1'),
      ['1 spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    ],
  ])('%s is refused', (_, text, found) => {
    expect(shortly(issuesOf(text))).toEqual(found);
    expect(load(text).cluster.pods).toEqual([]);
  });
  test('more pods than addresses are refused at once', () => {
    expect(load(workload('Deployment', 'replicas: 2000000000')).issues[0]?.message).toContain('no more addresses');
  });
});

describe('pods', () => {
  test('all that is read', () => {
    const text = `
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop, labels: {a: b}, annotations: {x: z}}
spec:
  hostname: h
  subdomain: s
  restartPolicy: Never
  initContainers:
  - {name: first, image: i}
  - {name: side, image: i, restartPolicy: Always, ports: [{containerPort: 9, name: side}]}
  containers:
  - name: c
    image: nginx
    command: [a, b]
    args: [c]
    env:
    - {name: PLAIN, value: x}
    - {name: EMPTY}
    - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: NS, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
    - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
    - {name: KEY, valueFrom: {secretKeyRef: {name: s, key: k}}}
    ports: [{containerPort: 80, name: http}, {containerPort: 53, protocol: UDP}]
    readinessProbe: {httpGet: {port: http}}
status: {podIP: 10.0.0.7, podIPs: [{ip: 10.0.0.7}, {ip: "fd00::7"}], hostIP: 192.168.0.1}
`;
    const { cluster, issues } = load(text);
    expect(issues).toEqual([]);
    expect(cluster.pods).toMatchObject([
      {
        namespace: 'shop',
        owner: { kind: 'Pod', name: 'p' },
        phase: 'Running',
        addresses: [{ text: '10.0.0.7' }, { text: 'fd00::7' }],
        nodeAddresses: [{ text: '192.168.0.1' }],
        hostname: 'h',
        subdomain: 's',
        restartPolicy: 'Never',
        containers: [
          { name: 'first', role: 'init' },
          { name: 'side', role: 'sidecar', ports: [{ name: 'side', protocol: 'TCP', port: 9 }] },
          {
            name: 'c',
            role: 'main',
            command: ['a', 'b'],
            args: ['c'],
            env: [
              { name: 'PLAIN', value: 'x' },
              { name: 'EMPTY', value: '' },
              { name: 'POD', value: 'p' },
              { name: 'NS', value: 'shop' },
              { name: 'IP', value: '10.0.0.7' },
            ],
            ports: [
              { name: 'http', protocol: 'TCP', port: 80 },
              { name: '', protocol: 'UDP', port: 53 },
            ],
            ...{ stdin: false, stdinOnce: false, tty: false },
            readiness: { kind: 'http', port: 'http', path: '/' },
          },
        ],
        source: { file: 'f.yaml', line: 2 },
      },
    ]);
    expect([...(cluster.namespaces.get('shop')?.labels ?? [])]).toEqual([['kubernetes.io/metadata.name', 'shop']]);
  });
  test.each([
    ['status: {phase: Succeeded, podIP: 10.244.0.2}', 'Succeeded', ['10.244.0.2']],
    ['status: {phase: Failed}', 'Failed', []],
    ['status: {phase: Pending}', 'Pending', []],
    ['status: {}', 'Running', ['10.244.0.2', 'fd00:10:244::2']],
  ])('%s', (status, phase, addresses) => {
    const [built] = load(pod('p', `, ${status}`)).cluster.pods;
    expect([built?.phase, built?.addresses.map(({ text }) => text)]).toEqual([phase, addresses]);
  });
  test('a pod on its host’s network has the addresses of the node', () => {
    const text =
      '{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {hostNetwork: true, containers: [{name: c, image: i}]}, status: {hostIP: 10.1.0.1}}';
    const [built] = load(text).cluster.pods;
    expect([built?.hostNetwork, built?.addresses, built?.nodeAddresses]).toMatchObject([
      true,
      [{ text: '10.1.0.1' }],
      [{ text: '10.1.0.1' }],
    ]);
  });
  test('pods of which no status says where they run are on one node', () => {
    const host =
      '{apiVersion: v1, kind: Pod, metadata: {name: host}, spec: {hostNetwork: true, containers: [{name: c, image: i}]}}';
    const node = ['10.244.0.1', 'fd00:10:244::1'];
    const more = ['status: {podIP: 10.0.0.1}', 'status: {hostIP: 10.1.0.1}', 'status: {phase: Pending}'];
    const { pods } = load(
      [`${host}\n`, pod('a'), ...more.map((status, index) => pod(`p${index}`, `, ${status}`))].join('---\n'),
    ).cluster;
    expect(pods[0]?.addresses.map(({ text }) => text)).toEqual(node);
    expect(pods.map(({ nodeAddresses }) => nodeAddresses.map(({ text }) => text))).toEqual([
      node,
      node,
      [],
      ['10.1.0.1'],
      [],
    ]);
  });
  test('two live pods with one address are an issue that names both; a finished pod is none', () => {
    const status = ', status: {podIP: 10.0.0.1}';
    const finished = pod('old', ', status: {phase: Succeeded, podIP: 10.0.0.1}');
    const { issues } = load(`${pod('a', status)}---\n${pod('b', status)}---\n${finished}`);
    expect(issues.map(({ name, message }) => [name, message])).toEqual([
      ['b', 'Duplicate value: "10.0.0.1": pod default/a has this address'],
    ]);
  });
  test('what is handed out avoids what is written, wherever it is written', () => {
    const { cluster } = load(`${pod('a')}---\n${pod('b', ', status: {podIP: 10.244.0.2}')}`);
    expect(cluster.pods.map(({ addresses }) => addresses[0]?.text)).toEqual(['10.244.0.3', '10.244.0.2']);
  });
  test('a pod of its own and a workload’s of one name', () => {
    expect(shortly(load(`${workload('StatefulSet')}---\n${pod('web-0')}`).issues)).toEqual([
      '3 metadata.name: Duplicate value: "web-0": the StatefulSet web has a pod of this name',
    ]);
  });
  test.each([
    ['{containers: []}', ['1 spec.containers: Required value']],
    ['{containers: [{image: i}]}', ['1 spec.containers[0].name: Required value']],
    ['{containers: [{name: c}]}', ['1 spec.containers[0].image: Required value']],
    ['{containers: [{name: c, image: i}, {name: c, image: i}]}', ['1 spec.containers[1].name: Duplicate value: "c"']],
    [
      '{containers: [{name: c, image: i, ports: [{}]}]}',
      ['1 spec.containers[0].ports[0].containerPort: Required value'],
    ],
    [
      '{containers: [{name: c, image: i, ports: [{containerPort: 70000}]}]}',
      ['1 spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive'],
    ],
    [
      '{containers: [{name: c, image: i, ports: [{containerPort: 1, protocol: tcp}]}]}',
      ['1 spec.containers[0].ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"'],
    ],
    [
      '{containers: [{name: c, image: i, ports: [{containerPort: 1, name: a}, {containerPort: 2, name: a}]}]}',
      ['1 spec.containers[0].ports[1].name: Duplicate value: "a"'],
    ],
    [
      '{containers: [{name: c, image: i}], restartPolicy: Sometimes}',
      ['1 spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    ],
    [
      '{containers: [{name: c, image: i, env: [{name: A, value: yes}]}]}',
      [
        '1 spec.containers[0].env[0].value: json: cannot unmarshal bool into Go struct field EnvVar.spec.containers.env.value of type string',
      ],
    ],
    ['{container: []}', ['1 spec.container: unknown field "spec.container"']],
  ])('%s is refused', (spec, found) => {
    expect(shortly(issuesOf(`{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: ${spec}}`))).toEqual(found);
  });
});

describe('Services', () => {
  const service = (spec: string): string => `{apiVersion: v1, kind: Service, metadata: {name: s}, spec: ${spec}}\n`;
  const v4 = { text: '10.96.0.16' };
  const v6 = { text: 'fd00:10:96::10' };
  test.each([
    ['{selector: {a: b}, ports: [{port: 80}]}', { kind: 'clusterIP', addresses: [v4, v6] }],
    ['{type: LoadBalancer, ports: [{port: 80}]}', { kind: 'clusterIP', addresses: [v4, v6] }],
    ['{ipFamilies: [IPv6], ports: [{port: 80}]}', { kind: 'clusterIP', addresses: [v6] }],
    ['{clusterIP: 10.100.0.1, ports: [{port: 80}]}', { kind: 'clusterIP', addresses: [{ text: '10.100.0.1' }] }],
    ['{clusterIP: None}', { kind: 'headless' }],
    ['{type: ExternalName, externalName: example.com}', { kind: 'external', name: 'example.com' }],
  ])('%s', (spec, kind) => {
    const { cluster, issues } = load(service(spec));
    expect(issues).toEqual([]);
    expect(cluster.services[0]?.kind).toMatchObject(kind);
  });
  test('ports and their targets', () => {
    const ports =
      '[{name: a, port: 80}, {name: b, port: 81, targetPort: http}, {name: c, port: 53, protocol: UDP, targetPort: 5353}]';
    expect(load(service(`{selector: {a: b}, ports: ${ports}}`)).cluster.services).toMatchObject([
      {
        selector: { kind: 'pods' },
        ports: [
          { name: 'a', protocol: 'TCP', port: 80, target: 80 },
          { name: 'b', protocol: 'TCP', port: 81, target: 'http' },
          { name: 'c', protocol: 'UDP', port: 53, target: 5353 },
        ],
      },
    ]);
  });
  test.each([
    ['{}', ['1 spec.ports: Required value']],
    ['{ports: [{port: 0}]}', ['1 spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive']],
    ['{ports: [{port: 1, name: a}, {port: 2}]}', ['1 spec.ports[1].name: Required value']],
    ['{ports: [{port: 1, name: a}, {port: 2, name: a}]}', ['1 spec.ports[1].name: Duplicate value: "a"']],
    [
      '{ports: [{port: 1, targetPort: "80"}]}',
      ['1 spec.ports[0].targetPort: Invalid value: "80": must contain at least one letter (a-z)'],
    ],
    [
      '{ports: [{port: 1}], clusterIP: nonsense}',
      ['1 spec.clusterIP: Invalid value: "nonsense": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      '{ports: [{port: 1}], type: clusterIP}',
      [
        '1 spec.type: Unsupported value: "clusterIP": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [
      '{ports: [{port: 1}], ipFamilies: [IPv4, ipv6, IPv4]}',
      [
        '1 spec.ipFamilies[1]: Unsupported value: "ipv6": supported values: "IPv4", "IPv6"',
        '1 spec.ipFamilies[2]: Duplicate value: "IPv4"',
      ],
    ],
    [
      '{ports: [{port: 1}], ipFamilyPolicy: DualStack}',
      [
        '1 spec.ipFamilyPolicy: Unsupported value: "DualStack": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
      ],
    ],
    [
      '{ports: [{port: 1}], clusterIP: 10.96.0.20, clusterIPs: [10.96.0.21]}',
      ['1 spec.clusterIPs: Invalid value: []string{"10.96.0.21"}: first value must match `clusterIP`'],
    ],
    [
      '{ports: [{port: 1}], clusterIPs: [10.96.0.21]}',
      ['1 spec.clusterIPs: Invalid value: []string{"10.96.0.21"}: must be empty when `clusterIP` is not specified'],
    ],
    ['{ports: [{prot: 1}]}', ['1 spec.ports[0].prot: unknown field "spec.ports[0].prot"']],
  ])('%s is refused', (spec, found) => {
    expect(shortly(issuesOf(service(spec)))).toEqual(found);
  });
  test('two Services with one address', () => {
    const text = service('{clusterIP: 10.96.0.10, ports: [{port: 80}]}');
    expect(load(text).issues[0]?.message).toBe(
      'Duplicate value: "10.96.0.10": Service kube-system/kube-dns has this address',
    );
  });
});

describe('the cluster', () => {
  test('the later object of a name counts, in the place of the earlier', () => {
    const { cluster } = load(
      `${policy('{}')}---\n${policy('{}').replace('deny', 'other')}---\n${policy('policyTypes: [Egress]')}`,
    );
    expect(cluster.policies.map(({ name, ingress }) => [name, ingress.kind])).toEqual([
      ['deny', 'ignored'],
      ['other', 'isolates'],
    ]);
  });
  test('namespaces: declared, used, and those that always are', () => {
    const text = `{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {kubernetes.io/metadata.name: x, env: prod}}}\n---\n${pod('p').replace('name: p', 'name: p, namespace: b')}`;
    const { namespaces } = load(text).cluster;
    expect([...namespaces.keys()].sort()).toEqual(['a', 'b', 'default', 'kube-system']);
    expect(Object.fromEntries(namespaces.get('a')?.labels ?? [])).toEqual({
      'kubernetes.io/metadata.name': 'a',
      env: 'prod',
    });
  });
  test('addresses stay while their pod lives and are free afterwards', () => {
    const pool = new AddressPool();
    const first = (text: string): (string | undefined)[] =>
      load(text, pool).cluster.pods.map(({ addresses }) => addresses[0]?.text);
    expect(first(`${pod('a')}---\n${pod('b')}`)).toEqual(['10.244.0.2', '10.244.0.3']);
    expect(first(`${pod('c')}---\n${pod('b')}`)).toEqual(['10.244.0.4', '10.244.0.3']);
    expect(first(`${pod('d', ', status: {podIP: 10.244.0.2}')}---\n${pod('b')}`)).toEqual(['10.244.0.2', '10.244.0.3']);
  });
});
