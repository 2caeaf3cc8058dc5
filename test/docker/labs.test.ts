import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { CliUser } from '../e2e/cli-fixture.ts';
import { docker } from './engine.ts';

// Those that have a compose file stand for all, but for one that another begins as: each takes its time, and the policies
// are the same.
const FILES = await readdir(fileURLToPath(new URL('../../compose', import.meta.url)));
const LABS = FILES.map((file) => basename(file, '.yaml')).filter((lab) => lab !== 'default-deny-all');

it.each([...LABS.map((lab) => ({ lab, carry: 'relay' })), { lab: 'dns-egress', carry: 'kernel' }])(
  'the lab $lab, carried by the $carry, runs in containers as in network namespaces: every expectation is met',
  async ({ lab, carry }) => {
    await using user = await CliUser.create();
    const { exit, stdout, stderr } = await user.run([
      'run',
      lab,
      '--backend',
      'compose',
      ...(carry === 'kernel' ? ['--carry', carry] : []),
    ]);
    expect(exit, `${stdout}${stderr}`).toBe(0);
    expect(await docker('ps', '--all', '--quiet', '--filter', 'label=netpol-lab.lab')).toBe('');
  },
);
