import { execFile, execFileSync, type ExecFileException } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Outcome {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

interface Surroundings {
  readonly cwd: string;
  /** Stands before everything else on the PATH. */
  readonly path: string;
}

function run(command: readonly [string, ...string[]], { cwd, path }: Surroundings): Promise<Outcome> {
  const [file, ...args] = command;
  const env = { ...process.env, PATH: `${path}${delimiter}${process.env.PATH ?? ''}` };
  return new Promise((resolve) => {
    execFile(file, args, { cwd, env, timeout: 120_000 }, (error: ExecFileException | null, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? 'unknown'), stdout, stderr });
    });
  });
}

const POLICY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: deny-all
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
`;

describe('the packed package, installed globally', () => {
  let scratch = '';
  let packed: readonly string[] = [];
  let user: Surroundings = { cwd: '', path: '' };

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'netpol-lab-pack-'));
    const prefix = join(scratch, 'prefix');
    user = { cwd: join(scratch, 'empty'), path: `${dirname(process.execPath)}${delimiter}${join(prefix, 'bin')}` };
    await mkdir(user.cwd);

    const pack = await run(['npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', scratch], {
      cwd: root,
      path: user.path,
    });
    expect(pack.stderr + pack.stdout).toContain('netpol-lab');
    const [tarball] = JSON.parse(pack.stdout) as [{ filename: string; files: { path: string }[] }];
    packed = tarball.files.map((file) => file.path);

    const install = await run(
      ['npm', 'install', '--global', '--prefix', prefix, '--prefer-offline', join(scratch, tarball.filename)],
      user,
    );
    expect(install, install.stderr).toMatchObject({ code: 0 });
  }, 180_000);

  afterAll(() => rm(scratch, { recursive: true, force: true }));

  it('holds compiled code with its types, the labs and the licence, and nothing else', () => {
    for (const path of ['dist/cli/netpol-lab.js', 'dist/cli/main.d.ts', 'LICENSE', 'package.json']) {
      expect(packed).toContain(path);
    }
    expect(packed.filter((path) => /^labs\/[^/]+\/lab\.yaml$/.test(path))).not.toEqual([]);
    const strangers = packed.filter(
      (path) => !/^(dist\/.+\.(js|d\.ts)|labs\/.+|LICENSE|README\.md|package\.json)$/.test(path),
    );
    expect(strangers).toEqual([]);
  });

  it('says its version', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    const { code, stdout } = await run(['netpol-lab', '--version'], user);
    expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: version });
  });

  it('validates a policy', async () => {
    await writeFile(join(user.cwd, 'policy.yaml'), POLICY);
    const { code, stdout, stderr } = await run(['netpol-lab', 'validate', '-f', 'policy.yaml', '-o', 'json'], user);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ kind: 'NetworkPolicy', name: 'deny-all', errors: [] }]);
  });

  it('runs a shipped lab', async () => {
    const { code, stdout, stderr } = await run(['netpol-lab', 'run', 'default-deny'], user);
    expect(code, `${stdout}\n${stderr}`).toBe(0);
    expect(stdout).toMatch(/default-deny/);
  });
});

describe('on another Node', () => {
  const entry = join(root, 'dist/cli/netpol-lab.js');
  const here = { cwd: root, path: dirname(process.execPath) };

  /** This Node, made to believe that it is of another version. */
  const pretending = (version: string): Candidate => ({
    version,
    command: [
      process.execPath,
      '--import',
      `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '${version}' });`,
    ],
  });

  const tooOld = ['18.19.0', '20.20.2', '21.99.0', '22.0.0', '22.21.9'].map(pretending);
  const machines = nodeOfTheMachine();
  if (machines !== undefined && Number.parseFloat(machines.version) < 22) tooOld.push(machines);

  it.each(tooOld)('$version gets one line and exit code 3', async ({ command, version }) => {
    const { code, stdout, stderr } = await run([...command, entry, '--version'], here);
    expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 3, stdout: '', lines: 2 });
    expect(stderr).toContain(`netpol-lab needs Node.js 22.22 or newer; this is v${version}. `);
  });

  it.each(['22.22.0', '23.0.0', '24.1.0', '100.0.0'].map(pretending))('$version will do', async ({ command }) => {
    expect(await run([...command, entry, '--version'], here)).toMatchObject({ code: 0, stderr: '' });
  });
});

interface Candidate {
  readonly version: string;
  readonly command: readonly [string, ...string[]];
}

/** The Node that the system's packages brought, if there is one: often an old one. */
function nodeOfTheMachine(): Candidate | undefined {
  const file = '/usr/bin/node';
  if (!existsSync(file)) return undefined;
  const version = execFileSync(file, ['--version'], { encoding: 'utf8' }).trim().slice(1);
  return { version, command: [file] };
}
