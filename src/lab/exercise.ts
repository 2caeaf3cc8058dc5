import { parseManifests, type ManifestFile } from '../manifest/manifest.ts';
import { issueText } from '../manifest/issue.ts';
import { LabError } from '../model/lab-error.ts';
import { reasonText } from '../report/verdict-text.ts';
import type { LabClient, ProbeResult } from './lab-client.ts';
import type { LearnConnection } from './learn-schema.ts';

const TIMEOUT_MS = 1000; // an answer within this machine takes a few

/** What became of a connection of the task. */
export interface GradedConnection {
  readonly connection: LearnConnection;
  readonly outcome: ProbeResult['outcome'];
  readonly isMet: boolean;
  /** What the policies say of it. */
  readonly reason: string;
}

/**
 * Puts policies in force in a running lab, in place of those that it has, and tries the connections of the task.
 * @throws LabError usage if the files hold anything but policies, or the lab refuses them; those before are gone then.
 */
export async function grade(
  client: LabClient,
  files: readonly ManifestFile[],
  connections: readonly LearnConnection[],
): Promise<GradedConnection[]> {
  refuseOthers(files);
  for (const { metadata } of await client.objects('NetworkPolicy')) {
    const namespace = typeof metadata.namespace === 'string' ? metadata.namespace : 'default';
    await client.delete({ kind: 'NetworkPolicy', namespace, name: metadata.name });
  }
  const { issues } = await client.apply(files);
  if (issues.length > 0) throw new LabError('usage', issues.map(issueText).join('\n'));
  const results = await client.probe(connections.map((connection) => ({ ...connection, timeoutMs: TIMEOUT_MS })));
  return Promise.all(
    connections.map(async (connection, index) => {
      const { outcome, allowed } = results[index] ?? { outcome: 'unreachable', allowed: false };
      const isDenied = outcome === 'timeout' || outcome === 'rejected';
      const isMet = connection.verdict === 'allow' ? allowed : isDenied;
      return { connection, outcome, isMet, reason: reasonText(await client.explain(connection)) };
    }),
  );
}

/** The task is to be solved by policies, not by other pods or labels. */
function refuseOthers(files: readonly ManifestFile[]): void {
  const { objects, issues } = parseManifests(files);
  if (issues.length > 0) throw new LabError('usage', issues.map(issueText).join('\n'));
  const other = objects.find(({ kind }) => kind !== 'NetworkPolicy');
  if (!other) return;
  const { file, line } = other.source;
  throw new LabError('usage', `${file}:${line} a ${other.kind}: only NetworkPolicies count here`);
}

const HINT_POINTS = 10;

/**
 * Points of 100. Counted is the share of what must pass or that of what must not, whichever is smaller, so that
 * neither no policy nor denying everything is worth anything; each hint costs.
 */
export function scoreOf(graded: readonly GradedConnection[], hints: number): number {
  const shares = (['allow', 'deny'] as const).map((verdict) => {
    const own = graded.filter(({ connection }) => connection.verdict === verdict);
    return own.length === 0 ? 1 : own.filter(({ isMet }) => isMet).length / own.length;
  });
  return Math.max(0, Math.floor(100 * Math.min(...shares)) - hints * HINT_POINTS);
}
