import { objectLines } from '../manifest/manifest-text.ts';
import { fieldOf, isList, isObject } from '../manifest/json.ts';
import type { NearMiss } from '../model/near-miss.ts';
import type { Direction } from '../model/policy.ts';
import type { PolicyManifest } from './policy-manifest.ts';

/** A line of a manifest; with remarks it is one that decides. */
export interface QuotedLine {
  readonly number: number;
  readonly text: string;
  readonly remarks: readonly string[];
}

const WHOLE_LINES = 30; // a policy of more lines is shown in part
const HEAD_LINES = 6; // to its name
const AROUND_LINES = 3;

/** The lines of a policy that help to see why it does not allow a connection. @param misses its own. */
export function quote(manifest: PolicyManifest, misses: readonly NearMiss[]): QuotedLine[] {
  const { file, object } = manifest;
  const place = objectLines(file.text, object);
  if (!place) return [];
  const remarks = Map.groupBy(
    misses.map((miss) => ({ line: lineOf(manifest, miss), text: remarkOf(miss) })),
    ({ line }) => line,
  );
  const marked = [...remarks.keys()];
  const isShown = (number: number): boolean =>
    place.last - place.first < WHOLE_LINES ||
    number < place.first + HEAD_LINES ||
    marked.some((line) => Math.abs(line - number) <= AROUND_LINES);
  return file.text
    .split(/\r?\n/)
    .map((text, index) => ({ number: index + 1, text, remarks: remarksAt(remarks.get(index + 1)) }))
    .filter(({ number }) => place.first <= number && number <= place.last && isShown(number));
}

function remarksAt(remarks: readonly { readonly text: string }[] | undefined): readonly string[] {
  return (remarks ?? []).map(({ text }) => text);
}

/** The line of the nearest peer or port; for want of rules, the one that isolates. */
function lineOf({ object }: PolicyManifest, { rule, line, direction }: NearMiss): number {
  if (rule !== null) return line;
  const spec = fieldOf(object.value, 'spec');
  if (!isObject(spec)) return object.source.line;
  if (fieldOf(spec, direction) !== undefined) return object.lineOf(['spec', direction]);
  const types = fieldOf(spec, 'policyTypes');
  const index = isList(types) ? types.indexOf(TYPE[direction]) : -1;
  return object.lineOf(['spec', ...(index < 0 ? ['podSelector'] : ['policyTypes', index])]);
}

const TYPE = { egress: 'Egress', ingress: 'Ingress' } as const satisfies Record<Direction, string>;

/** `ingress[0]: default/client has app=client, rule wants app=frontend`. */
function remarkOf({ direction, rule, differences }: NearMiss): string {
  const texts = differences.map(({ text }) => text).join('; ');
  return rule === null ? texts : `${direction}[${rule}]: ${texts}`;
}
