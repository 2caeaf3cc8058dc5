import type { Issue } from '../manifest/issue.ts';
import type { ManifestFile, Manifests } from '../manifest/manifest.ts';
import type { Cluster } from '../model/cluster.ts';
import { LabError } from '../model/lab-error.ts';
import type { Terminal } from './terminal.ts';

/** Reads files, folders and `-`. @throws LabError usage if one cannot be read or holds none. */
export async function readManifests(paths: readonly string[]): Promise<readonly ManifestFile[]> {
  const { ManifestPathError, readManifestFiles } = await import('../manifest/read-files.ts');
  const { text } = await import('node:stream/consumers');
  try {
    return await readManifestFiles(paths, () => text(process.stdin));
  } catch (cause) {
    if (cause instanceof ManifestPathError) throw new LabError('usage', cause.message, { cause });
    throw cause;
  }
}

/** Parses manifests; what is passed over is said on the terminal. */
export async function parseFiles(files: readonly ManifestFile[], terminal: Terminal): Promise<Manifests> {
  const { parseManifests } = await import('../manifest/manifest.ts');
  const manifests = parseManifests(files);
  warn(manifests.warnings, terminal);
  return manifests;
}

/** Reads manifests as a cluster. @throws LabError usage that lists what is wrong with them. */
export async function loadCluster(paths: readonly string[], terminal: Terminal): Promise<Cluster> {
  const { cluster, issues } = await buildFrom(await parseFiles(await readManifests(paths), terminal), terminal);
  await refuseIssues(issues);
  return cluster;
}

/** Makes a cluster of parsed manifests; its warnings are said on the terminal. `issues` are those of parsing and building. */
export async function buildFrom(
  manifests: Manifests,
  terminal: Terminal,
): Promise<{ readonly cluster: Cluster; readonly issues: readonly Issue[] }> {
  const { AddressPool } = await import('../manifest/address-pool.ts');
  const { buildCluster } = await import('../manifest/build-cluster.ts');
  const { cluster, issues, warnings } = buildCluster(manifests.objects, new AddressPool());
  warn(warnings, terminal);
  return { cluster, issues: [...manifests.issues, ...issues] };
}

/** @throws LabError usage if there are issues, with a line for each. */
export async function refuseIssues(issues: readonly Issue[]): Promise<void> {
  if (issues.length === 0) return;
  const { issueText } = await import('../manifest/issue.ts');
  const summary = issues.length === 1 ? 'an issue in the manifests' : `${issues.length} issues in the manifests`;
  throw new LabError('usage', [`${summary}, nothing was done`, ...issues.map(issueText)].join('\n  '));
}

function warn(warnings: readonly string[], terminal: Terminal): void {
  for (const warning of warnings) terminal.complain(`warning: ${warning}`);
}
