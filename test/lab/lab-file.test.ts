import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadLab, toSpec } from '../../src/lab/lab-file.ts';
import { LabError } from '../../src/model/lab-error.ts';

const MINIMAL = ['title: t', 'teaches: u', 'manifests: [cluster.yaml]'].join('\n');

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lab-file-'));
  await writeFile(join(folder, 'cluster.yaml'), 'kind: Pod');
  await writeFile(join(folder, 'deny.yaml'), 'kind: NetworkPolicy');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function load(text: string): ReturnType<typeof loadLab> {
  await writeFile(join(folder, 'lab.yaml'), text);
  return loadLab(folder);
}

/** The lines of the error that loading ends with, without the folder. */
async function problems(text: string): Promise<string[]> {
  const error: unknown = await load(text).catch((reason: unknown) => reason);
  if (!(error instanceof LabError)) throw new Error(`no LabError but ${JSON.stringify(error)}`);
  expect(error.code).toBe('usage');
  return error.message.replaceAll(`${folder}/`, '').split('\n');
}

describe('a good lab', () => {
  test('has defaults where nothing is written', async () => {
    expect(await load(MINIMAL)).toEqual({
      name: basename(folder),
      file: join(folder, 'lab.yaml'),
      lineOf: expect.any(Function) as unknown,
      folder,
      title: 't',
      teaches: 'u',
      topic: 'other',
      difficulty: 'medium',
      learn: null,
      manifests: [join(folder, 'cluster.yaml')],
      external: [],
      backends: ['netns', 'compose'],
      options: { deny: 'drop', carry: 'auto', cni: 'reference' },
      steps: [],
    });
  });

  test('is read whole', async () => {
    const lab = await load(`${MINIMAL}
external:
  - { name: api.example.com, addresses: [203.0.113.10, '2001:db8::10'], ports: [443, 80/TCP, 53/UDP] }
options: { deny: reject, established: strict, carry: relay }
steps:
  - text: s
    apply: [deny.yaml]
    delete: [deny.yaml]
    label:
      - { pod: default/web, labels: { env: production, old: null } }
      - { namespace: prod, labels: { team: a } }
    expect:
      - run: curl -m 3 http://web
        in: default/deployment/client
        exit: 28
        output: 'timed out$'
        within: 1500ms
      - run: 'true'
        in: default/client
      - connect: { from: default/client, to: 203.0.113.10, port: 53/UDP }
        verdict: deny
`);
    expect(lab.external).toEqual([
      {
        name: 'api.example.com',
        addresses: ['203.0.113.10', '2001:db8::10'],
        ports: [
          { protocol: 'TCP', port: 443 },
          { protocol: 'TCP', port: 80 },
          { protocol: 'UDP', port: 53 },
        ],
      },
    ]);
    expect(lab.options).toEqual({ deny: 'reject', established: 'strict', carry: 'relay', cni: 'reference' });
    expect(lab.steps).toEqual([
      {
        text: 's',
        apply: [join(folder, 'deny.yaml')],
        delete: [join(folder, 'deny.yaml')],
        label: [
          { kind: 'Pod', namespace: 'default', name: 'web', labels: { env: 'production', old: null } },
          { kind: 'Namespace', namespace: '', name: 'prod', labels: { team: 'a' } },
        ],
        start: [],
        expect: [
          {
            kind: 'run',
            command: 'curl -m 3 http://web',
            pod: { namespace: 'default', pod: 'deployment/client' },
            exit: 28,
            output: /timed out$/m,
            withinMs: 1500,
            denied: null,
          },
          {
            kind: 'run',
            command: 'true',
            pod: { namespace: 'default', pod: 'client' },
            exit: 0,
            output: null,
            withinMs: 20_000,
            denied: null,
          },
          {
            kind: 'connect',
            from: 'default/client',
            to: '203.0.113.10',
            protocol: 'UDP',
            port: 53,
            verdict: 'deny',
            withinMs: 2000,
            denied: null,
          },
        ],
      },
    ]);
  });

  test('becomes a spec: manifests read, folders too, options overridden one by one', async () => {
    await mkdir(join(folder, 'more'));
    await writeFile(join(folder, 'more', 'service.yaml'), 'kind: Service');
    const lab = await load(`${MINIMAL.replace('cluster.yaml', 'cluster.yaml, more')}\noptions: { deny: reject }`);
    expect(await toSpec(lab, 'mine', { established: 'strict' })).toEqual({
      name: 'mine',
      files: [
        { path: join(folder, 'cluster.yaml'), text: 'kind: Pod' },
        { path: join(folder, 'more', 'service.yaml'), text: 'kind: Service' },
      ],
      external: [],
      options: { deny: 'reject', established: 'strict', carry: 'auto', cni: 'reference' },
    });
  });
});

test.each([
  ['cni: calico', 'keep'],
  ['cni: cilium', 'strict'],
  ['cni: cilium, established: keep', 'keep'],
])('%s: open connections are as that CNI does it, unless the lab says otherwise', async (options, established) => {
  await writeFile(join(folder, 'lab.yaml'), `${MINIMAL}\noptions: { ${options} }`);
  expect((await toSpec(await loadLab(folder), 'mine', {})).options.established).toBe(established);
});

describe('a bad lab is named by file, line and field', () => {
  const host = (fields: string): string => `${MINIMAL}\nexternal:\n  - { ${fields} }`;
  const step = (fields: string): string => `${MINIMAL}\nsteps:\n  - text: s\n    ${fields}`;
  const run = (fields: string): string => step(`expect:\n      - run: x\n        in: a/b\n        ${fields}`);
  const connect = (fields: string): string => step(`expect:\n      - connect: ${fields}\n        verdict: deny`);

  const CASES: readonly (readonly [name: string, text: string, ...problems: string[]])[] = [
    ['empty file', '', 'lab.yaml:1 is empty: a lab needs title, teaches and manifests'],
    ['a list', '- a', 'lab.yaml:1 got ["a"], want a map'],
    ['two documents', `${MINIMAL}\n---\na: b`, 'lab.yaml:5 a second document: a lab is one'],
    ['missing fields', 'title: t', 'lab.yaml:1 teaches: is required', 'lab.yaml:1 manifests: is required'],
    ['empty text', MINIMAL.replace('u', "''"), 'lab.yaml:2 teaches: must not be empty'],
    ['wrong type', MINIMAL.replace('t\n', '5\n'), 'lab.yaml:1 title: got 5, want a text'],
    ['null for a list', `${MINIMAL}\nsteps:`, 'lab.yaml:4 steps: got null, want a list'],
    ['no manifests', MINIMAL.replace('cluster.yaml', ''), 'lab.yaml:3 manifests: got [], want at least 1 item'],
    ['missing manifest', MINIMAL.replace('cluster', 'lost'), 'lab.yaml:3 manifests[0]: lost.yaml cannot be read'],
    ['missing policy', step('apply: [lost.yaml]'), 'lab.yaml:6 steps[0].apply[0]: lost.yaml cannot be read'],
    ['missing to delete', step('delete: [lost.yaml]'), 'lab.yaml:6 steps[0].delete[0]: lost.yaml cannot be read'],
    ['unknown field', `${MINIMAL}\nstep: []`, 'lab.yaml:4 step: unknown field'],
    ['unknown field of a step', step('expects: []'), 'lab.yaml:6 steps[0].expects: unknown field'],
    ['unknown option', `${MINIMAL}\noptions: { x: 1 }`, 'lab.yaml:4 options.x: unknown field'],
    ['bad deny', `${MINIMAL}\noptions: { deny: no }`, 'lab.yaml:4 options.deny: got false, want drop or reject'],
    [
      'bad established',
      `${MINIMAL}\noptions: { established: cut }`,
      'lab.yaml:4 options.established: got "cut", want keep or strict',
    ],
    [
      'bad host name',
      host('name: A_b, addresses: [10.0.0.1]'),
      'lab.yaml:5 external[0].name: got "A_b", want a DNS name such as api.example.com',
    ],
    [
      'host without address',
      host('name: a, addresses: []'),
      'lab.yaml:5 external[0].addresses: got [], want at least 1 item',
    ],
    [
      'bad address',
      host('name: a, addresses: [010.0.0.1]'),
      'lab.yaml:5 external[0].addresses[0]: got "010.0.0.1", want an IPv4 or IPv6 address',
    ],
    [
      'port in words',
      host('name: a, addresses: [10.0.0.1], ports: [http]'),
      'lab.yaml:5 external[0].ports[0]: got "http", want a port such as 80, 80/TCP or 53/UDP',
    ],
    [
      'port out of range',
      host('name: a, addresses: [10.0.0.1], ports: [70000/TCP]'),
      'lab.yaml:5 external[0].ports[0]: got "70000/TCP", want a port such as 80, 80/TCP or 53/UDP',
    ],
    [
      'protocol without sockets',
      host('name: a, addresses: [10.0.0.1], ports: [80/SCTP]'),
      'lab.yaml:5 external[0].ports[0]: got "80/SCTP", want a port such as 80, 80/TCP or 53/UDP',
    ],
    [
      'two hosts of one name',
      `${host('name: a, addresses: [10.0.0.1]')}\n  - { name: a, addresses: ['10.0.0.2'] }`,
      "lab.yaml:6 external[1].name: a is another host's",
    ],
    [
      'two hosts of one address',
      `${host("name: a, addresses: ['2001:db8::1']")}\n  - { name: b, addresses: ['2001:db8:0::1'] }`,
      "lab.yaml:6 external[1].addresses[0]: 2001:db8::1 is another host's",
    ],
    ['exit code too high', run('exit: 300'), 'lab.yaml:9 steps[0].expect[0].exit: got 300, want at most 255'],
    ['exit code no number', run("exit: '1'"), 'lab.yaml:9 steps[0].expect[0].exit: got "1", want a number'],
    [
      'bad pattern',
      run("output: '('"),
      'lab.yaml:9 steps[0].expect[0].output: Invalid regular expression: /(/m: Unterminated group',
    ],
    [
      'no unit',
      run("within: '5'"),
      'lab.yaml:9 steps[0].expect[0].within: got "5", want a time such as 500ms, 5s or 1m',
    ],
    [
      'no time',
      run('within: 0s'),
      'lab.yaml:9 steps[0].expect[0].within: got "0s", want a time such as 500ms, 5s or 1m',
    ],
    ['unknown field of a run', run('exits: 1'), 'lab.yaml:9 steps[0].expect[0].exits: unknown field'],
    ['a run nowhere', step('expect:\n      - run: x'), 'lab.yaml:7 steps[0].expect[0].in: is required'],
    [
      'a run at an address',
      step('expect:\n      - run: x\n        in: 10.0.0.1'),
      'lab.yaml:8 steps[0].expect[0].in: got "10.0.0.1", want NAMESPACE/POD or NAMESPACE/KIND/NAME',
    ],
    [
      'a connection without verdict',
      step('expect:\n      - connect: { from: a/b, to: a/c, port: 80 }'),
      'lab.yaml:7 steps[0].expect[0].verdict: is required',
    ],
    [
      'a connection of nothing',
      connect('{}'),
      'lab.yaml:7 steps[0].expect[0].connect.from: is required',
      'lab.yaml:7 steps[0].expect[0].connect.to: is required',
      'lab.yaml:7 steps[0].expect[0].connect.port: is required',
    ],
    [
      'bad endpoint',
      connect('{ from: client, to: a/c, port: 80 }'),
      'lab.yaml:7 steps[0].expect[0].connect.from: "client" is no endpoint: write NAMESPACE/POD, NAMESPACE/KIND/NAME or an IP address; did you mean default/client?',
    ],
    [
      'verdict of neither kind',
      step('expect:\n      - connect: { from: a/b, to: a/c, port: 80 }\n        verdict: allowed'),
      'lab.yaml:8 steps[0].expect[0].verdict: got "allowed", want allow or deny',
    ],
    [
      'a started command that neither writes nor is silent',
      step('expect:\n      - started: x'),
      'lab.yaml:7 steps[0].expect[0].output: want either output or silent',
    ],
    [
      'a pod that is as no pod can be',
      step('expect:\n      - { pod: a/b, is: done }'),
      'lab.yaml:7 steps[0].expect[0].is: got "done", want ready or unready or succeeded or failed or gone',
    ],
    [
      'labels of a workload',
      step('label: [{ pod: a/deployment/b, labels: {} }]'),
      'lab.yaml:6 steps[0].label[0].pod: got "a/deployment/b", want NAMESPACE/POD',
    ],
    [
      'a label that is no text',
      step('label: [{ namespace: a, labels: { x: 1 } }]'),
      'lab.yaml:6 steps[0].label[0].labels.x: got 1, want a text',
    ],
  ];

  test.each(CASES)('%s', async (_, text, ...expected) => {
    expect(await problems(text)).toEqual(expected);
  });

  test('no YAML', async () => {
    expect(await problems('title: [')).toEqual([expect.stringMatching(/^lab\.yaml:1 ./)]);
  });

  test('no lab.yaml', async () => {
    await expect(loadLab(folder)).rejects.toThrow(`${join(folder, 'lab.yaml')} cannot be read`);
  });
});
