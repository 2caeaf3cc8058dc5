import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DockerComposeEnvironment } from 'testcontainers';
import { CliUser, pod, serving, yaml } from '../e2e/cli-fixture.ts';
import { docker, holdingsOf } from './engine.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let user: CliUser;

beforeEach(async () => {
  user = await CliUser.create();
});

afterEach(() => user[Symbol.asyncDispose]());

async function upArguments(name: string): Promise<string[]> {
  const pods = [pod('client'), pod('web', { containers: [serving('80/TCP')] })];
  return ['up', '-f', await user.folder({ 'pods.yaml': yaml(pods) }), '--name', name, '--backend', 'compose'];
}

describe('a lab in containers', () => {
  it('leaves nothing when it is down', async () => {
    expect(await user.run(await upArguments('gone'))).toMatchObject({ exit: 0 });
    expect((await holdingsOf('gone')).length).toBeGreaterThan(5);
    expect(await user.run(['down', 'gone'])).toMatchObject({ exit: 0, stdout: 'lab gone is down\n' });
    expect(await holdingsOf('gone')).toEqual([]);
    expect(await user.labFolders()).toEqual([]);
  });

  it('of real images is entered, and leaves nothing either', async () => {
    const containers = [{ name: 'main', image: 'node:24-bookworm-slim', command: ['sleep', 'infinity'] }];
    const folder = await user.folder({ 'pods.yaml': yaml([pod('real', { containers })]) });
    const up = await user.run(['up', '-f', folder, '--name', 'real', '--backend', 'compose', '--images', 'real']);
    expect(up, up.stderr).toMatchObject({ exit: 0 });
    expect(await user.run(['exec', 'real', '--', 'hostname'])).toMatchObject({ exit: 0, stdout: 'real\n' });
    expect(await user.run(['down', 'real'])).toMatchObject({ exit: 0 });
    expect(await docker('ps', '--all', '--quiet', '--filter', 'label=com.docker.compose.project=netpol-lab-real')).toBe(
      '',
    );
  });

  it('has the policies of all files, the last of a name in force, whatever their paths', async () => {
    const isolating = { podSelector: {}, policyTypes: ['Ingress'] };
    const named = (name: string, spec: object) =>
      yaml([{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name }, spec }]);
    const pods = await user.folder({
      'pods.yaml': yaml([pod('client'), pod('web', { containers: [serving('80/TCP')] })]),
    });
    const later = await user.folder({
      'z.yaml': named('deny', { ...isolating, ingress: [{}] }),
      'a.yaml': named('deny', isolating),
    });
    const files = [pods, join(later, 'z.yaml'), join(later, 'a.yaml')];
    const up = await user.run(['up', '-f', ...files, '--name', 'ordered', '--backend', 'compose']);
    expect(up, up.stderr).toMatchObject({ exit: 0 });
    const explained = await user.run(['explain', '--from', 'default/client', '--to', 'default/web', '--port', '80']);
    expect(explained).toMatchObject({
      exit: 1,
      stdout: expect.stringContaining(`${join(later, 'a.yaml')}:`) as string,
    });
  });

  it('does not start with a host outside that has an address of Docker’s', async () => {
    const [gateway = ''] = (
      await docker('network', 'inspect', 'bridge', '--format', '{{range .IPAM.Config}}{{.Subnet}} {{end}}')
    ).split('/');
    const lab = {
      title: 't',
      teaches: 'u',
      manifests: ['pods.yaml'],
      external: [{ name: 'taken.example', addresses: [gateway] }],
    };
    const folder = await user.folder({ 'pods.yaml': yaml([pod('client')]), 'lab.yaml': yaml([lab]) });
    const { exit, stderr } = await user.run(['up', folder, '--name', 'taken', '--backend', 'compose']);
    expect({ exit, stderr }).toEqual({
      exit: 2,
      stderr: expect.stringContaining(`${gateway} of Docker's network`) as string,
    });
    expect(await holdingsOf('taken')).toEqual([]);
  });

  it('leaves nothing when its start is interrupted', async () => {
    const starting = user.start(await upArguments('interrupted'));
    await expect.poll(() => holdingsOf('interrupted'), { timeout: 20_000, interval: 20 }).not.toEqual([]);
    process.kill(starting.pid, 'SIGINT');
    expect(await starting.ended).toMatchObject({ exit: 130 });
    expect(await holdingsOf('interrupted')).toEqual([]);
  });

  it('is ended by down after a crash of its start', async () => {
    const starting = user.start(await upArguments('crashed'));
    await expect.poll(() => holdingsOf('crashed'), { timeout: 20_000, interval: 20 }).not.toEqual([]);
    process.kill(starting.pid, 'SIGKILL');
    await starting.ended;
    await expect.poll(() => user.run(['down', 'crashed']), { timeout: 20_000 }).toMatchObject({ exit: 0 });
    await expect.poll(() => holdingsOf('crashed'), { timeout: 20_000 }).toEqual([]);
  });

  it('runs beside another, its pods with addresses of their own; a name is taken once', async () => {
    for (const name of ['first', 'second']) expect(await user.run(await upArguments(name))).toMatchObject({ exit: 0 });
    const again = await user.run(await upArguments('first'));
    expect(again).toMatchObject({ exit: 2 });
    expect(again.stderr).toMatch(/Docker has a lab first already/);
    const curl = (lab: string, web: string) =>
      user.run(['exec', '--lab', lab, 'client', '--', 'curl', '-sS', '-m', '2', `http://${web}`]);
    const webs = { first: ['10.244.0.3', '[fd00:10:244::3]'], second: ['10.245.0.3', '[fd00:10:245::3]'] };
    for (const web of webs.first) {
      expect((await curl('first', web)).stdout, web).toContain('pod: web');
      expect((await curl('second', web)).exit, web).not.toBe(0); // which has no way out of its own network
    }
    const spec = { podSelector: {}, policyTypes: ['Ingress'] };
    const deny = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'deny' }, spec };
    const applied = await user.run(['apply', '--lab', 'first', '-f', '-'], yaml([deny]));
    expect(applied, applied.stderr).toMatchObject({ exit: 0 });
    expect(await curl('first', '10.244.0.3')).toMatchObject({ exit: 28 });
    for (const web of webs.second) expect((await curl('second', web)).stdout, web).toContain('pod: web');
  });

  it('starts, whatever its own images end with at once', { timeout: 60_000 }, async () => {
    const ending = (command: string) =>
      pod(command, { restartPolicy: 'Never', containers: [{ name: 'main', image: 'netpol-lab', command: [command] }] });
    const folder = await user.folder({ 'pods.yaml': yaml([ending('true'), ending('false')]) });
    const flags = ['--name', 'real', '--backend', 'compose', '--images', 'real'];
    const { exit, stderr } = await user.run(['up', '-f', folder, ...flags]);
    expect(exit, stderr).toBe(0);
  });

  it('has pods whose commands end: completed, failed, crashing', { timeout: 120_000 }, async () => {
    const ending = (name: string, restartPolicy: string, script: string) =>
      pod(name, { restartPolicy, containers: [{ name: 'main', image: 'job', command: ['sh', '-c', script] }] });
    const pods = [
      ending('once', 'Never', 'exit'),
      ending('failing', 'Never', 'exit 3'),
      ending('loop', 'Always', 'exit 1'),
    ];
    const folder = await user.folder({ 'pods.yaml': yaml(pods) });
    const { exit, stdout } = await user.run(['up', '-f', folder, '--name', 'ending', '--backend', 'compose']);
    expect({ exit, stdout }).toMatchObject({ exit: 1, stdout: expect.stringContaining('1 completed') as string });
    expect(stdout).toContain('not ready: default/loop (Running, container main ended with exit code 1)');
    const { stdout: table } = await user.run(['get', 'pods', '--lab', 'ending']);
    expect(table).toMatch(/once .*0\/1 +Completed +0 /);
    expect(table).toMatch(/failing .*0\/1 +Error +0 /);
    expect(table).toMatch(/loop .*0\/1 +CrashLoopBackOff /);
  });

  it('whose manifests have an issue does not start, and says it', async () => {
    const bad = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports: [{ port: 0 }] } };
    const folder = await user.folder({ 'bad.yaml': yaml([bad]) });
    const { exit, stderr } = await user.run(['up', '-f', folder, '--name', 'bad', '--backend', 'compose']);
    expect({ exit, stderr }).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('spec.ports[0].port') as string,
    });
    expect(await holdingsOf('bad')).toEqual([]);
  });
});

describe('compose/default-deny.yaml', () => {
  it('runs by itself, and netpol-lab finds it', async () => {
    const environment = await new DockerComposeEnvironment(join(ROOT, 'compose'), 'default-deny.yaml')
      .withProjectName('by-itself')
      .up();
    try {
      const curl = () => environment.getContainer('client-1').exec(['curl', '-sS', '-m', '2', 'http://web']);
      expect((await curl()).exitCode).toBe(0); // at once: Compose has waited for the whole lab
      const file = join(ROOT, 'compose', 'default-deny.yaml');
      await docker('compose', '--project-name', 'by-itself', '--file', file, 'restart', 'web__proxy', 'client__proxy');
      await expect.poll(async () => (await curl()).exitCode, { timeout: 20_000 }).toBe(0); // their pods have started with them
      const applied = await user.run(['apply', '-f', join(ROOT, 'labs/default-deny/default-deny-ingress.yaml')]);
      expect(applied, applied.stderr).toMatchObject({ exit: 0 });
      expect((await curl()).exitCode).toBe(28);
    } finally {
      await environment.down({ removeVolumes: true });
    }
    expect(await holdingsOf('default-deny')).toEqual([]);
  });

  it('and the others are what Compose takes', async () => {
    for (const file of await readdir(join(ROOT, 'compose'))) {
      expect(await docker('compose', '--file', join(ROOT, 'compose', file), 'config', '--quiet')).toBe('');
    }
  });
});
