import { AddressPool } from '../../src/manifest/address-pool.ts';
import { buildCluster, type BuiltCluster } from '../../src/manifest/build-cluster.ts';
import type { Issue } from '../../src/manifest/issue.ts';
import { parseManifests } from '../../src/manifest/manifest.ts';
import { validateObject } from '../../src/manifest/validate.ts';

/** The cluster of one YAML text, with the issues and warnings of reading and building it. */
export function load(text: string, pool = new AddressPool()): BuiltCluster {
  const read = parseManifests([{ path: 'f.yaml', text }]);
  const built = buildCluster(read.objects, pool);
  return {
    cluster: built.cluster,
    issues: [...read.issues, ...built.issues],
    warnings: [...read.warnings, ...built.warnings],
  };
}

/** Everything that reading and validating one YAML text finds. */
export function issuesOf(text: string): Issue[] {
  const read = parseManifests([{ path: 'f.yaml', text }]);
  return [...read.issues, ...read.objects.flatMap(validateObject)];
}

/** The issues as `LINE FIELD: MESSAGE`. */
export function shortly(issues: readonly Issue[]): string[] {
  return issues.map(({ line, field, message }) => `${line} ${field}: ${message}`);
}

/** A policy `default/deny` with this spec, which begins in line 4: `spec:` is line 4, what is given line 5 and on. */
export function policy(spec: string): string {
  const body = spec
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny}\nspec:\n${body}\n`;
}

/** A pod of one container, in flow style on one line. */
export function pod(name: string, more = ''): string {
  return `{apiVersion: v1, kind: Pod, metadata: {name: ${name}}, spec: {containers: [{name: c, image: i}]}${more}}\n`;
}

/** A workload whose selector and labels are app: web; `spec` is more of its spec in flow style. */
export function workload(kind: string, spec = '', apiVersion = 'apps/v1'): string {
  const selector = kind === 'ReplicationController' ? '{app: web}' : '{matchLabels: {app: web}}';
  const job = kind === 'Job';
  const restart = job ? ', restartPolicy: Never' : '';
  const template = `template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i}]${restart}}}`;
  const fields = [...(job ? [] : [`selector: ${selector}`]), template, ...(spec === '' ? [] : [spec])].join(', ');
  return `{apiVersion: ${apiVersion}, kind: ${kind}, metadata: {name: web}, spec: {${fields}}}\n`;
}
