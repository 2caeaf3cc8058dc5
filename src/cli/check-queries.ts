import type { Cluster } from '../model/cluster.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { addressPairs, fixedEnd, type FixedEnd } from '../model/fixed-end.ts';
import { invariant } from '../model/invariant.ts';
import { LabError } from '../model/lab-error.ts';
import { toConnections, type Question } from '../model/question.ts';
import type { Connection } from '../model/verdict.ts';
import { verdictReport } from '../report/verdict-report.ts';
import { reasonText } from '../report/verdict-text.ts';
import { compile } from '../table/compile.ts';
import { connectionDecider } from '../table/connection-decider.ts';
import type { PolicyTable } from '../table/policy-table.ts';
import { endpointOf, portOf } from './input.ts';
import { remember } from './remember.ts';
import type { Terminal } from './terminal.ts';
import { linesOf } from './text-lines.ts';
import { VerdictWriter } from './verdict-writer.ts';

/** An end as a query writes it. `fixed` is what spares most questions the long way. */
interface End {
  readonly text: string;
  readonly json: string;
  readonly endpoint: Endpoint;
  readonly fixed: FixedEnd | undefined;
}

/** A query as it is answered: defaults filled in, the protocol in capitals. */
interface Query {
  readonly from: End;
  readonly to: End;
  readonly protocol: string;
  readonly port: number;
}

const BATCH_LENGTH = 1 << 18; // characters; a write for each answer would take most of the time
const KEPT = 1 << 16; // endpoints and ports that are parsed once; more than most clusters have pods

/**
 * Answers a JSON query a line with a line each, in order, as they come. Memory does not grow with
 * the number of queries.
 * @throws LabError usage at the first line that cannot be answered, once all before it are.
 */
export async function answerQueries(
  cluster: Cluster,
  { file, format, terminal }: { file: string; format: 'text' | 'json'; terminal: Terminal },
): Promise<void> {
  const table = compile(cluster);
  const answer = answererOn(table, format === 'json' ? jsonWriter(table) : textWriter(table));
  let pending = '';
  let number = 1;
  try {
    for await (const lines of linesOf(file)) {
      for (const text of lines) {
        if (text.trim() !== '') pending += answer(text);
        number++;
        if (pending.length < BATCH_LENGTH) continue;
        await terminal.write(pending);
        pending = '';
      }
    }
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    await terminal.write(pending);
    throw new LabError('usage', `${file === '-' ? 'stdin' : file}:${number}: ${error.message}`, { cause: error });
  }
  await terminal.write(pending);
}

/** Writes an answer as a line, with its end. */
type LineWriter = (query: Query, connection: Connection) => string;

/** The function that answers a query's text. It throws LabError usage on a bad query. */
function answererOn({ cluster, buffer }: PolicyTable, line: LineWriter): (text: string) => string {
  const decide = connectionDecider(buffer);
  const endAt = remember(KEPT, (text: string): End => {
    const endpoint = endpointOf(text);
    return { text, json: JSON.stringify(text), endpoint, fixed: fixedEnd(cluster, endpoint) };
  });
  const spec = remember(KEPT, portOf);
  return (text) => {
    const query = parseQuery(text);
    const { protocol, port } = spec(`${query.port}/${query.protocol}`);
    const [from, to] = [endAt(query.from), endAt(query.to)];
    const pairs = from.fixed && to.fixed ? addressPairs(from.fixed, to.fixed) : [];
    const byFamily =
      pairs.length > 0
        ? pairs.map((pair) => ({ ...pair, transport: protocol, port }))
        : asked(cluster, { from: from.endpoint, to: to.endpoint, transport: protocol, port });
    const [first, second] = byFamily;
    invariant(first, 'a question has a connection');
    const passesBySecondAlone = second !== undefined && decide(first) !== 0 && decide(second) === 0;
    return line({ from, to, protocol, port }, passesBySecondAlone ? second : first);
  };
}

/** The long way, through names and Services. @throws LabError usage. */
function asked(cluster: Cluster, question: Question): Connection[] {
  const answers = toConnections(cluster, question);
  if (answers.kind === 'problem') throw new LabError('usage', answers.message);
  return answers.byFamily.map(({ connection }) => connection);
}

/** Reads a query; its port may be a number or digits, its protocol may be left out. */
function parseQuery(text: string): { from: string; to: string; protocol: string; port: string | number } {
  const value = parseObject(text);
  const { from, to, protocol = 'TCP', port } = value;
  if (typeof from !== 'string' || typeof to !== 'string') throw badQuery('"from" and "to" must be strings');
  if (typeof protocol !== 'string') throw badQuery('"protocol" must be a string');
  if (typeof port !== 'string' && typeof port !== 'number') throw badQuery('"port" must be a number');
  return { from, to, protocol, port };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badQuery('it is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badQuery('it is no object');
  return value as Record<string, unknown>;
}

function badQuery(reason: string): LabError {
  const form = '{"from":"default/a","to":"default/b","protocol":"TCP","port":80}';
  return new LabError('usage', `not a query, ${reason}: write ${form}`);
}

function jsonWriter(table: PolicyTable): LineWriter {
  const verdicts = new VerdictWriter(table);
  return ({ from, to, protocol, port }, connection) =>
    `{"from":${from.json},"to":${to.json},"protocol":"${protocol}","port":${port},${verdicts.fields(connection)}}\n`;
}

function textWriter(table: PolicyTable): LineWriter {
  return ({ from, to, protocol, port }, connection) => {
    const report = verdictReport(table.explain(connection));
    const word = report.verdict === 'allow' ? 'allowed' : 'denied';
    return `${word}: ${from.text} -> ${to.text} ${port}/${protocol}: ${reasonText(report)}\n`;
  };
}
