import { fileURLToPath } from 'node:url';
import { docker, ENGINE } from './engine.ts';

/** Builds the image before the tests of the group docker; a second time the engine's cache has it. */
export default async function setup(): Promise<void> {
  if (ENGINE === 'none') throw new Error('no Docker engine: run these tests by sh test/docker/engine.sh vitest …');
  await docker('build', '--quiet', '--tag', 'netpol-lab', fileURLToPath(new URL('../..', import.meta.url)));
  if (ENGINE === 'own') await docker('image', 'prune', '--force'); // those of earlier runs, which have lost their name
}
