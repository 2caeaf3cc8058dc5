import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram, type Ended, type RunOptions } from './run-program.ts';

/** Runs command lines in the folder of this folder's manifests; each is parted at blanks. */
export interface CommandLine extends Disposable {
  /** A folder that goes with it. */
  readonly folder: string;
  /** A file with a policy that denies all ingress. */
  readonly denyAll: string;
  run(commandLine: string, options?: Partial<RunOptions>): Promise<Ended>;
}

/** A command line that sees no running labs. Disposing it removes its folder. */
export function commandLine(): CommandLine {
  const folder = mkdtempSync(join(tmpdir(), 'netpol-lab-cli-'));
  const cwd = fileURLToPath(new URL('manifests', import.meta.url));
  const denyAll = join(folder, 'deny.yaml');
  writeFileSync(
    denyAll,
    'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: deny }\nspec: { podSelector: {} }\n',
  );
  return {
    folder,
    denyAll,
    run: (line, options = {}) => runProgram(line.split(' '), { state: folder, cwd, ...options }),
    [Symbol.dispose]: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
