import { LabError } from '../model/lab-error.ts';
import { nearestName } from '../model/nearest-name.ts';
import { build, readManifests, refuseIssues, warn } from './manifests.ts';
import { FILES, output } from './options.ts';
import type { Verb } from './verb.ts';

interface Options {
  readonly f: string[];
  readonly ignore: string[] | undefined;
  readonly o: 'text' | 'json' | undefined;
}

/** `lint`: what is valid in policies and hardly meant. */
export const LINT: Verb<Options> = {
  command: 'lint',
  describe: 'Find mistakes in policies that are valid',
  examples: [
    ['lint -f manifests/', 'Policies and the pods they are for; exit code 1 if there are warnings'],
    ['lint -f manifests/ --ignore no-default-deny', 'Without a rule'],
    ['lint -f manifests/ -o json', 'For other programs'],
  ],
  options: (yargs) =>
    yargs.options({
      f: { ...FILES, demandOption: true },
      ignore: {
        type: 'array',
        string: true,
        requiresArg: true,
        describe: 'Ids of rules to leave out; on one policy, annotate it netpol-lab.dev/lint-ignore: ID,ID',
      },
      o: output('text', 'json'),
    }),
  run: async ({ f, ignore = [], o }, terminal) => {
    const { lint, RULE_IDS } = await import('../lint/lint.ts');
    const { lintText } = await import('../lint/lint-text.ts');
    const unknown = ignore.find((id) => !RULE_IDS.includes(id));
    if (unknown !== undefined) {
      const near = nearestName(unknown, RULE_IDS);
      const hint = near === undefined ? `there are ${RULE_IDS.join(', ')}` : `did you mean ${near}?`;
      throw new LabError('usage', `no rule "${unknown}"; ${hint}`);
    }
    const { cluster, objects, issues, warnings } = await build(await readManifests(f));
    warn(warnings, terminal);
    await refuseIssues(issues);
    if (cluster.pods.length === 0) {
      terminal.complain('warning: no pods in the manifests: rules about whom policies select find nothing');
    }
    const { findings, ignored } = lint(cluster, objects, ignore);
    const warningCount = findings.filter(({ severity }) => severity === 'warning').length;
    if (o === 'json') await terminal.printJson({ findings, ignored });
    else {
      for (const finding of findings) await terminal.print(lintText(finding, terminal.color));
      await terminal.print(
        tally({
          policies: cluster.policies.length,
          warnings: warningCount,
          infos: findings.length - warningCount,
          ignored,
        }),
      );
    }
    return warningCount === 0 ? 0 : 1;
  },
};

function tally({
  policies,
  warnings,
  infos,
  ignored,
}: Readonly<Record<'policies' | 'warnings' | 'infos' | 'ignored', number>>): string {
  const silenced = ignored === 0 ? '' : `, ${ignored} silenced`;
  return `${counted(policies, 'policy', 'policies')}, ${counted(warnings, 'warning', 'warnings')}, ${infos} info${silenced}`;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
