import type { CniName } from '../cni/profile.ts';
import type { Issue } from '../manifest/issue.ts';
import type { ManifestFile, Manifests } from '../manifest/manifest.ts';
import type { Cluster } from '../model/cluster.ts';
import { LabError } from '../model/lab-error.ts';
import type { Terminal } from './terminal.ts';

/** Reads files, folders and `-`. @throws LabError usage if one cannot be read or holds none. */
export async function readManifests(paths: readonly string[]): Promise<readonly ManifestFile[]> {
  const { ManifestPathError, readManifestFiles } = await import('../manifest/read-files.ts');
  const { buffer } = await import('node:stream/consumers');
  try {
    return await readManifestFiles(paths, () => buffer(process.stdin));
  } catch (cause) {
    if (cause instanceof ManifestPathError) throw new LabError('usage', cause.message, { cause });
    throw cause;
  }
}

/** A cluster and all that was found out on the way to it. */
export interface Built {
  readonly objects: Manifests['objects'];
  readonly cluster: Cluster;
  readonly issues: readonly Issue[];
  readonly warnings: readonly string[];
}

/** Parses manifests and makes a cluster of them. */
export async function build(files: readonly ManifestFile[]): Promise<Built> {
  const { parseManifests } = await import('../manifest/manifest.ts');
  const { AddressPool } = await import('../manifest/address-pool.ts');
  const { buildCluster } = await import('../manifest/build-cluster.ts');
  const { objects, issues, warnings } = parseManifests(files);
  const built = buildCluster(objects, new AddressPool());
  return {
    objects,
    cluster: built.cluster,
    issues: [...issues, ...built.issues],
    warnings: [...warnings, ...built.warnings],
  };
}

/** Reads manifests as a cluster whose policies are as a CNI enforces them. @throws LabError usage that lists what is wrong with them. */
export async function loadCluster(paths: readonly string[], terminal: Terminal, cni?: CniName): Promise<Cluster> {
  return enforcedCluster(await readManifests(paths), terminal, cni);
}

/** Manifests as a cluster whose policies are as a CNI enforces them; warns of what that is not. @throws LabError usage that lists what is wrong with them. */
export async function enforcedCluster(
  files: readonly ManifestFile[],
  terminal: Terminal,
  cni: CniName = 'reference',
): Promise<Cluster> {
  const { Enforcer } = await import('../cni/enforcer.ts');
  const { cluster, issues, warnings } = await build(files);
  const enforcer = new Enforcer(cni);
  const enforced = enforcer.enforced(cluster);
  warn([...warnings, ...cluster.policies.flatMap((policy) => enforcer.remarks(policy))], terminal);
  await refuseIssues(issues);
  return enforced;
}

/** Says warnings, a line each. */
export function warn(warnings: readonly string[], terminal: Terminal): void {
  for (const warning of warnings) terminal.complain(`warning: ${warning}`);
}

/** @throws LabError usage if there are issues, with a line for each. */
export async function refuseIssues(issues: readonly Issue[]): Promise<void> {
  if (issues.length === 0) return;
  const { issueText } = await import('../manifest/issue.ts');
  const summary = issues.length === 1 ? 'an issue in the manifests' : `${issues.length} issues in the manifests`;
  throw new LabError('usage', [`${summary}, nothing was done`, ...issues.map(issueText)].join('\n  '));
}
