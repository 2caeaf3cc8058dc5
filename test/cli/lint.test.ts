import { afterAll, describe, expect, test } from 'vitest';
import { RULE_IDS } from '../../src/lint/lint.ts';
import { SHOP, shopPolicy } from '../lint/lint-fixture.ts';
import { commandLine } from './analysis-fixture.ts';

const cli = commandLine();
afterAll(() => {
  cli[Symbol.dispose]();
});

const TYPO = SHOP + shopPolicy('podSelector: {matchLabels: {app: wbe}}');

describe.concurrent('lint', () => {
  test('ends with 1 at a warning, and says file, line, why and what to do', async () => {
    const { exitCode, stdout } = await cli.run('lint -f -', { stdin: TYPO });
    expect(stdout).toContain(
      'stdin:18 warning shop/p: podSelector app=wbe selects no pod of namespace shop [label-typo]\n' +
        '  why: a policy that selects no pod changes nothing, and nobody says so\n' +
        '  fix: did you mean app=web instead of app=wbe?\n',
    );
    expect(stdout).toMatch(/\n1 policy, 1 warning, 2 info\n$/);
    expect(exitCode).toBe(1);
  });

  test('ends with 0 where there are only hints, or none', async () => {
    const { exitCode, stdout } = await cli.run('lint -f - --ignore label-typo', { stdin: TYPO });
    expect(stdout).toMatch(/\n1 policy, 0 warnings, 2 info\n$/);
    expect(exitCode).toBe(0);
  });

  test('answers as JSON', async () => {
    const { exitCode, stdout } = await cli.run('lint -f - --ignore no-default-deny -o json', { stdin: TYPO });
    expect(JSON.parse(stdout)).toEqual({
      findings: [
        {
          ...{ rule: 'label-typo', severity: 'warning', file: 'stdin', line: 18 },
          ...{ kind: 'NetworkPolicy', namespace: 'shop', name: 'p' },
          message: 'podSelector app=wbe selects no pod of namespace shop',
          why: 'a policy that selects no pod changes nothing, and nobody says so',
          fix: 'did you mean app=web instead of app=wbe?',
        },
      ],
      ignored: 0,
    });
    expect(exitCode).toBe(1);
  });

  test('knows the rule that is meant to be left out', async () => {
    const { exitCode, stderr } = await cli.run('lint -f - --ignore label-tpyo', { stdin: TYPO });
    expect(stderr).toBe('error: no rule "label-tpyo"; did you mean label-typo?\n');
    expect(exitCode).toBe(2);
  });

  test('lists all rules, once, where none is near', async () => {
    const { exitCode, stderr } = await cli.run('lint -f - --ignore nope', { stdin: TYPO });
    expect(stderr).toBe(`error: no rule "nope"; there are ${RULE_IDS.join(', ')}\n`);
    expect(exitCode).toBe(2);
  });

  test('refuses what is invalid', async () => {
    expect(await cli.run('lint -f invalid.yaml')).toMatchObject({ exitCode: 2, stdout: '' });
  });
});
