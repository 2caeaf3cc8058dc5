import type { z } from 'zod';
import { pathText, type FieldPath } from '../manifest/field-path.ts';

type SchemaIssue = z.core.$ZodIssue;

/** What is wrong with one field of a lab.yaml. `path` is the field, or what is unknown there. */
export interface LabFileProblem {
  readonly path: FieldPath;
  readonly message: string;
}

/** The problem as users read it: `labs/web/lab.yaml:12 steps[2].expect[0].exit: got 300, want at most 255`. */
export function labProblemText(problem: LabFileProblem, { file, line }: { file: string; line: number }): string {
  const field = pathText(problem.path);
  return `${file}:${line} ${field === '' ? '' : `${field}: `}${problem.message}`;
}

/** The problems that the schema's issues stand for. The issues must carry their input (`reportInput`). */
export function problemsOf(issues: readonly SchemaIssue[], above: FieldPath = []): LabFileProblem[] {
  return issues.flatMap((issue): LabFileProblem[] => {
    const path = [...above, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: [...path, key], message: 'unknown field' }));
    }
    const branch = issue.code === 'invalid_union' && issue.input !== undefined ? meantBranch(issue.errors) : undefined;
    return branch ? problemsOf(branch, path) : [{ path, message: messageOf(issue) }];
  });
}

/**
 * The alternative that the user meant: the one whose shape is nearest, counting missing and unknown
 * fields. None if the alternatives are no objects; then the union's own message says what is wanted.
 */
function meantBranch(branches: readonly (readonly SchemaIssue[])[]): readonly SchemaIssue[] | undefined {
  if (branches.some((issues) => issues.some(({ path, code }) => path.length === 0 && code !== 'unrecognized_keys'))) {
    return undefined;
  }
  return branches.toSorted((one, other) => shapeDistance(one) - shapeDistance(other))[0];
}

function shapeDistance(issues: readonly SchemaIssue[]): number {
  return issues
    .map((issue) => {
      if (issue.code === 'unrecognized_keys' && issue.path.length === 0) return issue.keys.length;
      return issue.path.length === 1 && issue.input === undefined ? 1 : 0;
    })
    .reduce<number>((sum, distance) => sum + distance, 0);
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function messageOf(issue: SchemaIssue): string {
  if (issue.input === undefined && issue.code !== 'custom') return 'is required';
  const got = `got ${JSON.stringify(issue.input)}`;
  switch (issue.code) {
    case 'invalid_type':
      return `${got}, want ${TYPE_NAMES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `${got}, want ${issue.values.map(String).join(' or ')}`;
    case 'too_small':
      return issue.origin === 'string'
        ? issue.message
        : `${got}, want at least ${String(issue.minimum)}${itemsOf(issue.origin)}`;
    case 'too_big':
      return `${got}, want at most ${String(issue.maximum)}`;
    default:
      return issue.message;
  }
}

function itemsOf(origin: string): string {
  return origin === 'array' ? ' item' : '';
}
