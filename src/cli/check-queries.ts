import { createReadStream } from 'node:fs';
import type { VerdictReport } from '../flows/flow-event.ts';
import type { Cluster } from '../model/cluster.ts';
import { LabError } from '../model/lab-error.ts';
import { toConnection } from '../model/question.ts';
import { verdictReport } from '../report/verdict-report.ts';
import { reasonText } from '../report/verdict-text.ts';
import { compile } from '../table/compile.ts';
import { endpointOf, portOf } from './input.ts';
import type { Terminal } from './terminal.ts';
import { textLines } from './text-lines.ts';

/** A query as it is answered: defaults filled in, the protocol in capitals. */
interface Query {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number;
}

const BATCH_LENGTH = 1 << 16; // characters; a write for each answer would take most of the time

/**
 * Answers a JSON query a line with a line each, in order, as they come.
 * @throws LabError usage at the first line that cannot be answered, once all before it are.
 */
export async function answerQueries(
  cluster: Cluster,
  { file, format, terminal }: { file: string; format: 'text' | 'json'; terminal: Terminal },
): Promise<void> {
  const answer = answererOn(cluster);
  const line = format === 'json' ? jsonLine : textLine;
  let pending = '';
  let number = 1;
  try {
    for await (const text of textLines(piecesOf(file))) {
      if (text.trim() !== '') pending += `${line(...answer(text))}\n`;
      number++;
      if (pending.length < BATCH_LENGTH) continue;
      await terminal.write(pending);
      pending = '';
    }
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    await terminal.write(pending);
    throw new LabError('usage', `${file === '-' ? 'stdin' : file}:${number}: ${error.message}`, { cause: error });
  }
  await terminal.write(pending);
}

/** The function that answers a query's text from the cluster's table. It throws LabError usage on a bad query. */
function answererOn(cluster: Cluster): (text: string) => [Query, VerdictReport] {
  const table = compile(cluster);
  return (text) => {
    const query = parseQuery(text);
    const { protocol, port } = portOf(`${query.port}/${query.protocol}`);
    const ends = { from: endpointOf(query.from), to: endpointOf(query.to) };
    const found = toConnection(cluster, { ...ends, transport: protocol, port });
    if (found.kind === 'problem') throw new LabError('usage', found.message);
    return [{ from: query.from, to: query.to, protocol, port }, verdictReport(table.explain(found.connection))];
  };
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

function jsonLine(query: Query, report: VerdictReport): string {
  return JSON.stringify({ ...query, ...report });
}

function textLine({ from, to, protocol, port }: Query, report: VerdictReport): string {
  const word = report.verdict === 'allow' ? 'allowed' : 'denied';
  return `${word}: ${from} -> ${to} ${port}/${protocol}: ${reasonText(report)}`;
}

async function* piecesOf(file: string): AsyncGenerator<string> {
  const stream = file === '-' ? process.stdin.setEncoding('utf8') : createReadStream(file, { encoding: 'utf8' });
  try {
    for await (const piece of stream) yield piece as string;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LabError('usage', `cannot be read: ${reason}`, { cause });
  }
}
