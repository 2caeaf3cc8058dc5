import { expect, it } from 'vitest';
import { shippedLabs } from '../../src/lab/shipped.ts';
import { CliUser } from '../e2e/cli-fixture.ts';
import { docker, ENGINE_ENVIRONMENT } from './engine.ts';

const LABS = (await shippedLabs()).map(({ name }) => name);

it.each([...LABS.map((lab) => ({ lab, carry: 'kernel' })), { lab: 'dns-egress', carry: 'relay' }])(
  'the lab $lab, carried by the $carry, runs in containers as in network namespaces: every expectation is met',
  async ({ lab, carry }) => {
    await using user = await CliUser.create({ environment: ENGINE_ENVIRONMENT });
    const { exit, stdout, stderr } = await user.run(['run', lab, '--backend', 'compose', '--carry', carry]);
    expect(exit, `${stdout}${stderr}`).toBe(0);
    expect(await docker('ps', '--all', '--quiet', '--filter', 'label=netpol-lab.lab')).toBe('');
  },
);
