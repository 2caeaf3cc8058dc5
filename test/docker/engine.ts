import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What engine.sh says of the engine: one of its own, this machine's, or none. */
export const ENGINE = process.env.NETPOL_LAB_ENGINE ?? 'none';

/** The network namespace (a path) that has what containers publish; undefined where it is this machine's. */
export const ENGINE_NETWORK = process.env.NETPOL_LAB_ENGINE_NETWORK;

/** What a docker command did; `output` is stdout and stderr as they came. */
export interface DockerOutcome {
  readonly exit: number;
  readonly stdout: string;
  readonly output: string;
}

/** Runs docker with these arguments. */
export async function tryDocker(args: readonly string[], input = ''): Promise<DockerOutcome> {
  const child = spawn('docker', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stdin.on('error', () => undefined); // a command need not read its input
  child.stdin.end(input);
  const [exit] = (await once(child, 'close')) as [number | null];
  return { exit: exit ?? -1, stdout, output };
}

/** The output of a docker command. @throws Error if it fails. */
export async function docker(...args: readonly string[]): Promise<string> {
  const { exit, stdout, output } = await tryDocker(args);
  if (exit !== 0) throw new Error(`docker ${args.join(' ')} ended with ${exit}: ${output}`);
  return stdout.trim();
}

/** What the engine holds of a lab: containers, networks and volumes with its label, a line each. */
export async function holdingsOf(lab: string): Promise<string[]> {
  const filter = ['--quiet', '--filter', `label=netpol-lab.lab=${lab}`];
  const lists = await Promise.all([
    docker('ps', '--all', ...filter),
    docker('network', 'ls', ...filter),
    docker('volume', 'ls', ...filter),
  ]);
  return lists.flatMap((list) => list.split('\n')).filter((line) => line !== '');
}
