import { z } from 'zod';
import { labProblemText, problemsOf } from '../lab/lab-problem.ts';
import { readDocuments } from '../manifest/yaml-document.ts';
import { parseEndpoint, type Endpoint } from '../model/endpoint.ts';
import { LabError } from '../model/lab-error.ts';
import { endpointProblem, parsePortSpec, type PortSpec } from '../model/question.ts';

/** What must become of connections: of each pod that `from` names to each that `to` names. */
export interface Expectation extends PortSpec {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly verdict: 'allow' | 'deny';
  /** Where it is written. */
  readonly file: string;
  readonly line: number;
}

const endpoint = z.string().transform((text, context): Endpoint => {
  const parsed = parseEndpoint(text);
  if (parsed) return parsed;
  context.addIssue(endpointProblem(text));
  return z.NEVER;
});

const port = z.union([z.int(), z.string()]).transform((value, context): PortSpec => {
  const parsed = parsePortSpec(String(value));
  if (parsed) return parsed;
  context.addIssue(`got ${JSON.stringify(value)}, want a port such as 80, 80/TCP or 53/UDP`);
  return z.NEVER;
});

const schema = z.array(z.strictObject({ from: endpoint, to: endpoint, port, verdict: z.enum(['allow', 'deny']) }));

/**
 * Reads expectations: a YAML list of `{ from, to, port, verdict }`.
 * @throws LabError usage with a line for each problem: `FILE:LINE FIELD: got X, want Y`.
 */
export function parseExpectations(text: string, file: string): Expectation[] {
  const [document, second] = readDocuments(text);
  if (!document) throw new LabError('usage', `${file}:1 is empty: write a list of { from, to, port, verdict }`);
  if (document.kind === 'unreadable') throw new LabError('usage', `${file}:${document.line} ${document.message}`);
  if (second) throw new LabError('usage', `${file}: a second document: expectations are one list`);
  const parsed = schema.safeParse(document.value, { reportInput: true });
  if (!parsed.success) {
    const problems = problemsOf(parsed.error.issues);
    const lines = problems.map((problem) => labProblemText(problem, { file, line: document.lineOf(problem.path) }));
    throw new LabError('usage', lines.join('\n'));
  }
  return parsed.data.map(({ from, to, port: spec, verdict }, index) => {
    return { from, to, ...spec, verdict, file, line: document.lineOf([index]) };
  });
}
