import type { Cluster } from '../model/cluster.ts';
import { endpointText } from '../model/endpoint.ts';
import { partyText } from '../model/question.ts';
import { reasonText } from '../report/verdict-text.ts';
import { verdictReport } from '../report/verdict-report.ts';
import { compile } from '../table/compile.ts';
import { questionVerdict } from '../table/family-verdict.ts';
import type { PolicyTable } from '../table/policy-table.ts';
import type { Expectation } from './expectation-file.ts';
import { pairsOf, type ExpectedPair } from './pairs.ts';
import { portText, servedPorts } from './served-ports.ts';

/** What became of an expectation. `failures` says how reality differs, a line for each connection; none if it is met. */
export interface Result {
  readonly expectation: Expectation;
  readonly connections: number;
  readonly failures: readonly string[];
}

/**
 * Judges expectations by the table. A denial counts only where something listens, as without policies every
 * connection there passes. @throws LabError usage if an expectation names what is not there.
 */
export function judge(cluster: Cluster, expectations: readonly Expectation[]): Result[] {
  const table = compile(cluster);
  return expectations.map((expectation) => {
    const pairs = pairsOf(cluster, expectation);
    const failures = pairs.flatMap((pair) => failureOf(table, expectation, pair));
    return { expectation, connections: pairs.length, failures };
  });
}

function failureOf(table: PolicyTable, expectation: Expectation, pair: ExpectedPair): string[] {
  const { answer, verdict, unlike } = questionVerdict(table, pair);
  if (verdict.allowed === (expectation.verdict === 'allow')) return verdict.allowed ? [] : vacuous(pair);
  const by = unlike.length === 0 ? '' : ` by IPv${answer.connection.source.family}`;
  const reason = reasonText(verdictReport(verdict));
  return [`${pairText(pair)} is ${verdict.allowed ? 'allowed' : 'denied'}${by}: ${reason}`];
}

/** Why a denial proves nothing: nobody would answer without policies either. */
function vacuous(pair: ExpectedPair): string[] {
  const [{ to, connection }] = pair.byFamily;
  if (to.kind === 'address') return [];
  const served = servedPorts(to.pod).map(portText);
  const port = `${connection.port}/${connection.transport}`;
  if (served.includes(port)) return [];
  const has = served.length === 0 ? 'it serves no port' : `it serves ${served.join(', ')}`;
  return [`${pairText(pair)} is denied, which proves nothing: ${partyText(to)} does not serve ${port}; ${has}`];
}

/** `default/client -> default/web`, or with the pod that is meant `default/client -> default/service/web (default/web-1)`. */
export function pairText({ from, to, byFamily }: ExpectedPair): string {
  const party = partyText(byFamily[0].to);
  const text = endpointText(to);
  return `${endpointText(from)} -> ${text}${party === text ? '' : ` (${party})`}`;
}
