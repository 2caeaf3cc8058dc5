import type { FieldPath } from './field-path.ts';

/**
 * What is wrong with one field of an object. `path` is the field that the message is about, `at` the
 * nearest place in the text, which can be deeper: labels are reported as a whole, but stand on lines of their own.
 */
export interface Finding {
  readonly path: FieldPath;
  readonly at: FieldPath;
  readonly type: string;
  readonly message: string;
}

/** A value that breaks a rule. */
export function invalid(path: FieldPath, value: unknown, detail: string): Finding {
  return finding('FieldValueInvalid', path, `Invalid value: ${valueText(value)}: ${detail}`);
}

/** The same findings where the text to mend stands deeper than the field that they are about. */
export function standingAt(at: FieldPath, findings: readonly Finding[]): Finding[] {
  return findings.map((found) => ({ ...found, at }));
}

/** A value that must be there and is not. */
export function required(path: FieldPath, detail = ''): Finding {
  return finding('FieldValueRequired', path, detail === '' ? 'Required value' : `Required value: ${detail}`);
}

/** A value that may not be there. */
export function forbidden(path: FieldPath, detail: string): Finding {
  return finding('FieldValueForbidden', path, `Forbidden: ${detail}`);
}

/** A value that is none of those that the field can have. */
export function notSupported(path: FieldPath, value: string, supported: readonly string[]): Finding {
  const list = supported.map((one) => valueText(one)).join(', ');
  return finding('FieldValueNotSupported', path, `Unsupported value: ${valueText(value)}: supported values: ${list}`);
}

/** A value that another item of the list has already. */
export function duplicate(path: FieldPath, value: unknown): Finding {
  return finding('FieldValueDuplicate', path, `Duplicate value: ${valueText(value)}`);
}

/** What the decoder of the API server refuses, before validation: unknown fields and wrong types. */
export function undecodable(path: FieldPath, message: string): Finding {
  return finding('StrictDecoding', path, message);
}

/** The invalid values that a rule's messages stand for. */
export function invalids(path: FieldPath, value: unknown, details: readonly string[]): Finding[] {
  return details.map((detail) => invalid(path, value, detail));
}

/** A text that a message shows as it is: a value in Go's syntax. */
export class GoSyntax {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A map[string]string as Go prints it: keys sorted. */
export function goMap(entries: Readonly<Record<string, string>>): GoSyntax {
  const pairs = Object.entries(entries).sort(([one], [other]) => (one < other ? -1 : 1));
  return new GoSyntax(
    `map[string]string{${pairs.map(([key, value]) => `${quoted(key)}:${quoted(value)}`).join(', ')}}`,
  );
}

/** A list of texts of that Go type as Go prints it. */
export function goList(type: string, items: readonly string[]): GoSyntax {
  return new GoSyntax(`[]${type}{${items.map(quoted).join(', ')}}`);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function valueText(value: unknown): string {
  return value instanceof GoSyntax ? value.text : JSON.stringify(value);
}

function finding(type: string, path: FieldPath, message: string): Finding {
  return { path, at: path, type, message };
}
