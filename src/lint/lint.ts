import { fieldOf, isObject, textOf } from '../manifest/json.ts';
import type { ManifestObject } from '../manifest/manifest-object.ts';
import type { Cluster } from '../model/cluster.ts';
import { clusterIpInBlock, exceptWithoutEffect } from './block-rules.ts';
import { andOrDash } from './dash-rule.ts';
import { egressWithoutDns } from './dns-rule.ts';
import type { Finding, Found } from './finding.ts';
import { egressNotIsolated, noDefaultDeny, rulesIgnored } from './isolation-rules.ts';
import { lintView, type LintView } from './lint-view.ts';
import { servicePort, unknownNamedPort } from './port-rules.ts';
import { labelTypo, peerMatchesNothing, selectsNothing } from './selector-rules.ts';
import { shadowedRule } from './shadow-rule.ts';

// By what silences them. Ids are part of users' manifests: they never change.
const RULES: Readonly<Record<string, (view: LintView) => readonly Found[]>> = {
  'selects-nothing': selectsNothing,
  'peer-matches-nothing': peerMatchesNothing,
  'label-typo': labelTypo,
  'service-port': servicePort,
  'unknown-named-port': unknownNamedPort,
  'cluster-ip': clusterIpInBlock,
  'except-without-effect': exceptWithoutEffect,
  'egress-without-dns': egressWithoutDns,
  'egress-not-isolated': egressNotIsolated,
  'rules-ignored': rulesIgnored,
  'and-or-dash': andOrDash,
  'shadowed-rule': shadowedRule,
  'no-default-deny': noDefaultDeny,
};

/** The ids of all rules. */
export const RULE_IDS: readonly string[] = Object.keys(RULES);

// Of a policy or a Namespace: ids of rules that are not to be reported there, between commas.
const IGNORE_ANNOTATION = 'netpol-lab.dev/lint-ignore';

/** What was found, in the order of files and lines, and how much was silenced. */
export interface LintReport {
  readonly findings: readonly Finding[];
  readonly ignored: number;
}

/**
 * What is valid in the policies and hardly meant. Rules that need pods find nothing without any.
 * @param objects those that the cluster was built of.
 * @param ignore ids of rules to leave out.
 * Cost: policies times pods, and pairs of rules of a namespace.
 */
export function lint(cluster: Cluster, objects: readonly ManifestObject[], ignore: readonly string[] = []): LintReport {
  const view = lintView(cluster, objects);
  const silenced = silencedBy(objects);
  const all = RULE_IDS.filter((id) => !ignore.includes(id)).flatMap((rule) =>
    (RULES[rule]?.(view) ?? []).map((found): Finding => ({ rule, ...found })),
  );
  const findings = all.filter(({ rule, ...found }) => silenced.get(placeOf(found))?.includes(rule) !== true);
  return { findings: findings.sort(byPlace), ignored: all.length - findings.length };
}

function silencedBy(objects: readonly ManifestObject[]): ReadonlyMap<string, readonly string[]> {
  return new Map(objects.map((object) => [placeOf(object), ignoredIn(object)]));
}

function ignoredIn({ value }: ManifestObject): string[] {
  const metadata = fieldOf(value, 'metadata');
  const annotations = isObject(metadata) ? fieldOf(metadata, 'annotations') : undefined;
  const text = isObject(annotations) ? textOf(annotations, IGNORE_ANNOTATION) : '';
  return text.split(',').map((id) => id.trim());
}

function placeOf({ kind, namespace, name }: { readonly kind: string; namespace: string; name: string }): string {
  return kind === 'Namespace' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

function byPlace(one: Finding, other: Finding): number {
  if (one.file !== other.file) return one.file < other.file ? -1 : 1;
  return one.line - other.line;
}
