import type { Options } from 'yargs';
import type { startLab } from '../lab/start.ts';
import type { LabDocument } from '../lab/lab-schema.ts';
import { LabError } from '../model/lab-error.ts';

/** What pods are. */
export type Backend = LabDocument['backends'][number];

/** How a lab is to run, as it is chosen on the command line. */
export interface BackendChoice {
  readonly backend: Backend;
  readonly images: 'lab' | 'real' | undefined;
}

/** How labs of a backend are started. */
export interface Starter {
  /** Starts a lab, and returns when every pod is ready. */
  readonly start: typeof startLab;
  readonly backend: Backend;
}

/** `--carry`. */
export const CARRY = {
  carry: {
    choices: ['kernel', 'relay'] as const,
    describe: "Who carries connections: the kernel, or in containers a relay in each pod's proxy",
    defaultDescription: 'relay in containers',
  },
} as const satisfies Record<string, Options>;

/** `--images`. */
export const IMAGES = {
  images: {
    choices: ['lab', 'real'] as const,
    describe: "Containers that stand in for the manifests' images, or these, commands unchanged",
    defaultDescription: 'lab',
  },
} as const satisfies Record<string, Options>;

/** `--backend` and what goes with it. */
export const BACKEND = {
  backend: {
    choices: ['netns', 'compose'] as const,
    default: 'netns' as const,
    describe: 'Pods are network namespaces, or containers of Docker',
  },
  ...IMAGES,
} as const satisfies Record<string, Options>;

/** What starts labs of the backend. @throws LabError usage for options that the backend has not. */
export async function starterOf({ backend, images }: BackendChoice): Promise<Starter> {
  if (backend === 'compose') {
    const { startInContainers } = await import('../lab/compose/start-compose.ts');
    return {
      start: (spec, onProgress, options) =>
        startInContainers(spec, images ?? 'lab', { onProgress, signal: options?.signal }),
      backend,
    };
  }
  if (images !== undefined) throw new LabError('usage', '--images goes with --backend compose');
  return { start: (await import('../lab/start.ts')).startLab, backend };
}
