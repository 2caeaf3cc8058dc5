import { parseEndpoint, podsOf, type Endpoint } from '../model/endpoint.ts';
import { LabError } from '../model/lab-error.ts';
import { endpointProblem, parsePortSpec, toConnection, toConnections, type Question } from '../model/question.ts';
import { explanationOf, type Explanation } from '../report/explanation.ts';
import { verdictReport } from '../report/verdict-report.ts';
import { reasonText } from '../report/verdict-text.ts';
import { connectionDecider } from '../table/connection-decider.ts';
import { questionVerdict, type FamilyVerdict } from '../table/family-verdict.ts';
import { nearMisses } from '../table/near-miss.ts';
import type { PolicyTable } from '../table/policy-table.ts';
import type { LabQuestion } from './lab-client.ts';

/** The verdict with its reasons and near misses. @throws LabError usage if the question leads to no connection. */
export function explainQuestion(table: PolicyTable, asked: LabQuestion): Explanation {
  const { cluster } = table;
  const answers = toConnections(cluster, questionOf(asked, endpointOf));
  if (answers.kind === 'problem') throw new LabError('usage', answers.message);
  const { answer, verdict, unlike } = questionVerdict(table, answers);
  const explanation = explanationOf(answer, verdict, nearMisses(cluster, answer.connection, verdict));
  return { ...explanation, notes: [...explanation.notes, ...unlike.map(familyNote)] };
}

/** `by IPv6 it is denied: ingress denied: isolated by …` */
function familyNote({ answer, verdict }: FamilyVerdict): string {
  const { family } = answer.connection.source;
  return `by IPv${family} it is ${verdict.allowed ? 'allowed' : 'denied'}: ${reasonText(verdictReport(verdict))}`;
}

/**
 * The verdicts alone, in the order of the questions; `deny` where both ends exist and no connection
 * can be made, for want of a common address family for example.
 * @throws LabError usage on an end that does not exist.
 */
export function predictQuestions(table: PolicyTable, questions: readonly LabQuestion[]): ('allow' | 'deny')[] {
  const { cluster } = table;
  const decide = connectionDecider(table.buffer);
  const ends = new Map<string, Endpoint>();
  const known = (text: string): Endpoint => {
    const end = ends.get(text) ?? endpointOf(text);
    ends.set(text, end);
    return end;
  };
  return questions.map((asked) => {
    const question = questionOf(asked, known);
    const answer = toConnection(cluster, question);
    if (answer.kind === 'connection') return decide(answer.connection) === 0 ? 'allow' : 'deny';
    const exist = [question.from, question.to].every(
      (end) => end.kind === 'address' || podsOf(cluster, end).length > 0,
    );
    if (!exist) throw new LabError('usage', answer.message);
    return 'deny';
  });
}

function questionOf({ from, to, protocol, port }: LabQuestion, end: (text: string) => Endpoint): Question {
  const spec = parsePortSpec(`${port}/${protocol}`);
  if (!spec) throw new LabError('usage', `${port}/${protocol} is no port: write for example 80 or 53/UDP`);
  return { from: end(from), to: end(to), transport: spec.protocol, port: spec.port };
}

function endpointOf(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (!endpoint) throw new LabError('usage', endpointProblem(text));
  return endpoint;
}
