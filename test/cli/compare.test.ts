import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { commandLine } from './analysis-fixture.ts';

const cli = commandLine();
afterAll(() => {
  cli[Symbol.dispose]();
});

const block = join(cli.folder, 'block.yaml');
writeFileSync(
  block,
  `apiVersion: v1
kind: Pod
metadata: { name: web }
spec: { containers: [{ name: c, image: i }] }
---
apiVersion: v1
kind: Pod
metadata: { name: client }
spec: { containers: [{ name: c, image: i }] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: block }
spec:
  podSelector: {}
  ingress:
    - from: [{ ipBlock: { cidr: 10.0.0.0/8 } }]
`,
);

const { denyAll } = cli;

describe.concurrent('compare', () => {
  test('says what differs from the first CNI to each other, and why', async () => {
    const { exitCode, stdout } = await cli.run(`compare -f ${block} --cni calico,cilium,flannel`);
    expect(stdout.replaceAll(cli.folder, '')).toBe(`calico -> cilium
  to cilium, ipBlock 10.0.0.0/8 (/block.yaml:17) does not match those in it that are pods or nodes
  open connections that a new policy denies: kept -> cut
  - every pod (2) -> every pod (2)  every port by IPv4 only
  newly denied (-): 2 pairs of pods; newly allowed (+): 0 pairs

calico -> flannel
  flannel enforces no policies: default/block (/block.yaml:11) has no effect
  + every pod (2) -> every pod (2)  every port by IPv6 only
  + outside 0.0.0.0/5, outside 8.0.0.0/7, outside 11.0.0.0/8, outside 12.0.0.0/6, outside 16.0.0.0/4, outside 32.0.0.0/3, and 3 more -> every pod (2)  every port
  newly denied (-): 0 pairs of pods; newly allowed (+): 2 pairs
`);
    expect(exitCode).toBe(1);
  });

  test('ends with 0 where nothing differs', async () => {
    const { exitCode, stdout } = await cli.run('compare -f web.yaml --cni reference,calico');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'reference -> calico\n  nothing changes\n' });
  });

  test.each([
    ['cilum,calico', 'no CNI "cilum"; did you mean cilium?'],
    ['calico', 'compare two CNIs or more'],
    ['calico,calico', 'compare two CNIs or more'],
  ])('--cni %s', async (names, message) => {
    const { exitCode, stderr } = await cli.run(`compare -f web.yaml --cni ${names}`);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });

  test('diff is between clusters as a CNI enforces them', async () => {
    const { stdout } = await cli.run(`diff -f ${denyAll} --old web.yaml --cni flannel`);
    expect(stdout).toBe('nothing changes\n');
    const { exitCode } = await cli.run(`diff -f ${denyAll} --old web.yaml`);
    expect(exitCode).toBe(1);
  });

  test('other verbs decide as a CNI does, and warn of what it does not', async () => {
    const ask = (cni: string) =>
      cli.run(`check -f ${block} --from default/client --to default/web --port 80 --cni ${cni}`);
    expect((await ask('reference')).exitCode).toBe(0);
    const { exitCode, stdout, stderr } = await ask('cilium');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('as cilium enforces policies, which is not all that they say');
    expect(stderr).toContain('warning: to cilium, ipBlock 10.0.0.0/8');
  });
});
