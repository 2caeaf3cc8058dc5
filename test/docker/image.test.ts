import { describe, expect, it } from 'vitest';
import { docker, tryDocker } from './engine.ts';

const MEGABYTE = 1_000_000;
const BASE_IMAGE = 'node:24-bookworm-slim';

function inImage(...command: readonly string[]): Promise<string> {
  const [program = '', ...args] = command;
  return docker('run', '--rm', '--network', 'none', '--entrypoint', program, 'netpol-lab', ...args);
}

async function bytesOf(image: string): Promise<number> {
  return Number(await docker('image', 'inspect', '--format', '{{.Size}}', image));
}

describe('the image', () => {
  it('has the tools that people use in pods, and those of the pod proxy', async () => {
    const tools = ['curl', 'nslookup', 'dig', 'nc', 'ip', 'iptables', 'ip6tables', 'nft', 'conntrack'];
    const found = await inImage(
      'sh',
      '-c',
      'PATH=$PATH:/usr/sbin; for tool; do command -v $tool; done',
      'sh',
      ...tools,
    );
    expect(found.split('\n').map((path) => path.split('/').at(-1))).toEqual(tools);
  });

  it('runs as an ordinary user', async () => {
    expect(await inImage('id', '-u')).toBe('1000');
  });

  it('runs netpol-lab, shipped labs and all', async () => {
    const args = ['validate', '-f', '/opt/netpol-lab/labs/default-deny/cluster.yaml'];
    const { exit, output } = await tryDocker(['run', '--rm', '--network', 'none', 'netpol-lab', ...args]);
    expect({ exit, output }).toMatchObject({ exit: 0 });
    expect(await docker('run', '--rm', 'netpol-lab', 'labs')).toContain('default-deny');
  });

  it('has netlink without a compiler: the prebuilt koffi loads', async () => {
    const program = `import('/opt/netpol-lab/dist/dataplane/libc.js').then(({ ERRNO }) => console.log(ERRNO.EPERM))`;
    expect(await inImage('node', '--eval', program)).toBe('1');
  });

  it('adds little to its base', async () => {
    const added = (await bytesOf('netpol-lab')) - (await bytesOf(BASE_IMAGE));
    expect(added).toBeGreaterThan(0);
    expect(added).toBeLessThan(85 * MEGABYTE);
  });
});
