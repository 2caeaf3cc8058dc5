import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execCapture } from '../../src/lab/exec.ts';
import { labOptions } from '../../src/lab/lab-client.ts';
import { manifestFile, podManifest, policyManifest, TestLab } from './lab-fixture.ts';

const SERVING = { containers: [{ name: 'main', image: 'web', ports: [{ containerPort: 80 }] }] };
const DENY = policyManifest('default/deny', '{ podSelector: {} }');

describe('a lab whose CNI enforces no policies', () => {
  let lab: TestLab;
  beforeAll(async () => {
    const files = [manifestFile(podManifest('default/client') + podManifest('default/server', SERVING) + DENY)];
    lab = await TestLab.start({ name: 'flannel', files, options: labOptions({ cni: 'flannel' }) });
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  it('lets connections through, and says with each why', async () => {
    const from = lab.address('default/client');
    const to = lab.address('default/server');
    const [probe] = await lab.client.probe([{ from, to, protocol: 'TCP', port: 80, timeoutMs: 1000 }]);
    expect(probe).toMatchObject({ outcome: 'connected', allowed: true });
    const flows = await Array.fromAsync(lab.client.flows({ follow: false }));
    expect(flows.find((flow) => flow.to.address === to && flow.port === 80)).toMatchObject({
      verdict: 'allow',
      caveat: 'flannel enforces no policies',
    });
    const explained = await lab.client.explain({
      from: 'default/client',
      to: 'default/server',
      protocol: 'TCP',
      port: 80,
    });
    expect(explained).toMatchObject({ verdict: 'allow', notes: ['flannel enforces no policies'] });
  });

  it('warns of each policy that is applied, and still lists them', async () => {
    const { warnings } = await lab.client.apply([manifestFile(policyManifest('default/more', '{ podSelector: {} }'))]);
    expect(warnings).toEqual([expect.stringContaining('flannel enforces no policies: default/more')]);
    const { policies, warnings: all } = await lab.client.status();
    expect(policies).toBe(2);
    expect(all).toEqual([expect.stringContaining('default/deny'), expect.stringContaining('default/more')]);
  });
});

it('a lab enforces as Cilium does: a block matches no pod', async () => {
  const block = '{ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/8 } }] }] }';
  const files = [
    manifestFile(
      podManifest('default/client') + podManifest('default/server', SERVING) + policyManifest('default/block', block),
    ),
  ];
  const curl = async (cni: 'reference' | 'cilium'): Promise<number> => {
    await using lab = await TestLab.start({ name: `block-${cni}`, files, options: labOptions({ cni }) });
    const command = ['curl', '-sS', '-m', '2', `http://${lab.address('default/server')}/`];
    return (await execCapture(lab.client, { namespace: 'default', pod: 'client', command, timeoutMs: 10_000 })).exit;
  };
  expect(await Promise.all([curl('reference'), curl('cilium')])).toEqual([0, 28]);
});
