import { describe, expect, it, test } from 'vitest';
import { scoreOf, type GradedConnection } from '../../src/lab/exercise.ts';
import { loadLab } from '../../src/lab/lab-file.ts';
import { readLabManifests } from '../../src/lab/lab-manifests.ts';
import { shippedLabs } from '../../src/lab/shipped.ts';
import { AddressPool } from '../../src/manifest/address-pool.ts';
import { buildCluster } from '../../src/manifest/build-cluster.ts';
import { parseManifests, type ManifestFile } from '../../src/manifest/manifest.ts';
import { parsePort } from '../../src/net/port.ts';
import { compile } from '../../src/table/compile.ts';
import { predictQuestions } from '../../src/lab/lab-question.ts';
import { given } from '../builders/given.ts';

const labs = await Promise.all((await shippedLabs()).map(({ folder }) => loadLab(folder)));
const TASKS = labs.flatMap((lab) => (lab.learn ? [{ lab, name: lab.name, task: lab.learn }] : []));

/** The name server, which each lab has. */
const DNS: ManifestFile = {
  path: 'dns.yaml',
  text: `
{ apiVersion: v1, kind: Namespace, metadata: { name: kube-system } }
---
apiVersion: v1
kind: Pod
metadata: { name: coredns, namespace: kube-system, labels: { k8s-app: kube-dns } }
spec:
  containers:
    - { name: coredns, image: coredns, ports: [{ containerPort: 53, protocol: UDP }, { containerPort: 53 }] }
---
apiVersion: v1
kind: Service
metadata: { name: kube-dns, namespace: kube-system }
spec:
  selector: { k8s-app: kube-dns }
  ports: [{ name: udp, port: 53, protocol: UDP }, { name: tcp, port: 53 }]
`,
};

test('at least five labs have a task', () => {
  expect(TASKS.length).toBeGreaterThanOrEqual(5);
});

describe.each(TASKS)('the task of $name', ({ lab, task }) => {
  async function verdictsWith(policies: readonly string[]): Promise<readonly string[]> {
    const files = [...(await readLabManifests([...lab.manifests, ...policies])), DNS];
    const { cluster, issues } = buildCluster(parseManifests(files).objects, new AddressPool());
    expect(issues).toEqual([]);
    return predictQuestions(compile(cluster), task.expect);
  }

  const expected = task.expect.map(({ verdict }) => verdict);

  it('is about connections that all pass without policies', async () => {
    expect(await verdictsWith([])).toEqual(expected.map(() => 'allow'));
  });

  it('is solved by its solution, and not by what it starts with', async () => {
    expect(await verdictsWith(task.solution)).toEqual(expected);
    if (task.start !== null) expect(await verdictsWith([task.start])).not.toEqual(expected);
  });

  it('asks for connections of both kinds', () => {
    expect([...new Set(expected)].sort()).toEqual(['allow', 'deny']);
  });
});

describe('a score', () => {
  const port = given(parsePort(80), 'port');
  const graded = (verdict: 'allow' | 'deny', isMet: boolean): GradedConnection => {
    const connection = { from: 'default/a', to: 'default/b', protocol: 'TCP', port, verdict } as const;
    return { connection, outcome: 'connected', isMet, reason: '' };
  };
  const good = [graded('allow', true), graded('allow', true), graded('deny', true), graded('deny', true)];
  const [one, two, three, four] = good as [GradedConnection, GradedConnection, GradedConnection, GradedConnection];

  it.each([
    { name: 'all that is meant', connections: good, hints: 0, points: 100 },
    { name: 'the same with two hints', connections: good, hints: 2, points: 80 },
    { name: 'no policy', connections: [one, two, graded('deny', false), graded('deny', false)], hints: 0, points: 0 },
    {
      name: 'everything denied',
      connections: [graded('allow', false), graded('allow', false), three, four],
      hints: 0,
      points: 0,
    },
    { name: 'half of the denials', connections: [one, two, three, graded('deny', false)], hints: 1, points: 40 },
    { name: 'never less than nothing', connections: good, hints: 11, points: 0 },
  ])('of $name is $points', ({ connections, hints, points }) => {
    expect(scoreOf(connections, hints)).toBe(points);
  });
});
