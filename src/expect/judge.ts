import type { Cluster } from '../model/cluster.ts';
import { endpointText } from '../model/endpoint.ts';
import { partyText } from '../model/question.ts';
import { reasonText } from '../report/verdict-text.ts';
import { verdictReport } from '../report/verdict-report.ts';
import { compile } from '../table/compile.ts';
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
    const failures = pairs.flatMap((pair) => {
      const verdict = table.explain(pair.answer.connection);
      const isAllowed = verdict.allowed ? 'allow' : 'deny';
      if (isAllowed !== expectation.verdict) return [differs(pair, expectation, reasonText(verdictReport(verdict)))];
      return expectation.verdict === 'deny' ? vacuous(pair) : [];
    });
    return { expectation, connections: pairs.length, failures };
  });
}

function differs(pair: ExpectedPair, { verdict }: Expectation, reason: string): string {
  return `${pairText(pair)} is ${verdict === 'allow' ? 'denied' : 'allowed'}: ${reason}`;
}

/** Why a denial proves nothing: nobody would answer without policies either. */
function vacuous(pair: ExpectedPair): string[] {
  const { to, connection } = pair.answer;
  if (to.kind === 'address') return [];
  const served = servedPorts(to.pod).map(portText);
  const port = `${connection.port}/${connection.transport}`;
  if (served.includes(port)) return [];
  const has = served.length === 0 ? 'it serves no port' : `it serves ${served.join(', ')}`;
  return [`${pairText(pair)} is denied, which proves nothing: ${partyText(to)} does not serve ${port}; ${has}`];
}

/** `default/client -> default/web`. */
export function pairText({ from, to }: Pick<ExpectedPair, 'from' | 'to'>): string {
  return `${endpointText(from)} -> ${endpointText(to)}`;
}
