import { undecodable, type Finding } from './finding.ts';
import { pathText, type FieldPath } from './field-path.ts';
import { fieldOf, isList, isObject, type JsonValue } from './json.ts';

/** The shape of a value, as Go's decoder in the API server sees it. `go` is the Go type that its messages name. */
export type Schema =
  | { readonly kind: 'any' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'text'; readonly go: string }
  | { readonly kind: 'integer'; readonly go: 'int32' | 'int64' }
  | { readonly kind: 'intOrText' }
  | { readonly kind: 'list'; readonly items: Schema }
  | { readonly kind: 'map'; readonly values: Schema }
  | { readonly kind: 'struct'; readonly go: string; readonly fields: Fields };

/** The fields of a struct: all that Kubernetes knows, as others are refused. */
export type Fields = Readonly<Record<string, Schema>>;

/** A value that fits the schema. No field is null; any field can be absent. */
export type Decoded<S> = S extends { readonly kind: 'struct'; readonly fields: infer F }
  ? { readonly [K in keyof F]?: Decoded<F[K]> }
  : S extends { readonly kind: 'list'; readonly items: infer I }
    ? readonly Decoded<I>[]
    : S extends { readonly kind: 'map'; readonly values: infer V }
      ? Readonly<Record<string, Decoded<V>>>
      : S extends { readonly kind: 'text' }
        ? string
        : S extends { readonly kind: 'integer' }
          ? number
          : S extends { readonly kind: 'intOrText' }
            ? number | string
            : S extends { readonly kind: 'bool' }
              ? boolean
              : JsonValue;

/** Any value: a field that netpol-lab does not read. */
export const ANY = { kind: 'any' } as const;
/** A boolean. */
export const BOOL = { kind: 'bool' } as const;
/** A text. */
export const TEXT = { kind: 'text', go: 'string' } as const;
/** A 32-bit integer. */
export const INT32 = { kind: 'integer', go: 'int32' } as const;
/** A number or a text, as ports are. */
export const INT_OR_TEXT = { kind: 'intOrText' } as const;
/** Texts by text, as labels are. */
export const TEXT_MAP = { kind: 'map', values: TEXT } as const;

/** A text of a Go type of its own. */
export function textOfType<const G extends string>(go: G): { readonly kind: 'text'; readonly go: G } {
  return { kind: 'text', go };
}

/** A list of values of one shape. */
export function listOf<const I extends Schema>(items: I): { readonly kind: 'list'; readonly items: I } {
  return { kind: 'list', items };
}

/** A Go struct of that name with these fields. */
export function struct<const F extends Fields>(go: string, fields: F): StructSchema<F> {
  return { kind: 'struct', go, fields };
}

/** A struct with known fields. */
export interface StructSchema<F extends Fields> {
  readonly kind: 'struct';
  readonly go: string;
  readonly fields: F;
}

/** Fields of any value: known to Kubernetes, not read by netpol-lab. */
export function unread<const N extends string>(...names: readonly N[]): Readonly<Record<N, typeof ANY>> {
  return Object.fromEntries(names.map((name) => [name, ANY])) as Record<N, typeof ANY>;
}

/**
 * Reads a value as the API server's strict decoder does: fields that are not in the schema and values of
 * another type are findings; null counts as absent, and as the zero value inside a list or a map.
 * The value is to be used only if there are no findings.
 * Source: sigs.k8s.io/json UnmarshalStrict, k8s.io/apimachinery intstr.
 */
export function decode<S extends Schema>(
  schema: S,
  value: JsonValue,
): { readonly value: Decoded<S>; readonly findings: readonly Finding[] } {
  const decoder = new Decoder();
  const decoded = decoder.read(schema, value, { path: [], goStruct: '', goField: [] });
  return { value: decoded as Decoded<S>, findings: decoder.findings };
}

/** Where the decoder is: the path, and how Go's messages name it (innermost struct, fields without indexes). */
interface Place {
  readonly path: FieldPath;
  readonly goStruct: string;
  readonly goField: readonly string[];
}

class Decoder {
  readonly findings: Finding[] = [];

  read(schema: Schema, value: JsonValue, place: Place): unknown {
    if (value === null) return zeroOf(schema);
    switch (schema.kind) {
      case 'any':
        return value;
      case 'bool':
        return typeof value === 'boolean' ? value : this.#mismatch(schema, value, place);
      case 'text':
        return typeof value === 'string' ? value : this.#mismatch(schema, value, place);
      case 'integer':
        return isInteger(value, schema.go) ? value : this.#mismatch(schema, value, place);
      case 'intOrText':
        return typeof value === 'string' || isInteger(value, 'int32') ? value : this.#mismatch(schema, value, place);
      case 'list':
        if (!isList(value)) return this.#mismatch(schema, value, place);
        return value.map((item, index) => this.read(schema.items, item, { ...place, path: [...place.path, index] }));
      case 'map':
        return this.#readMap(schema, value, place);
      case 'struct':
        return this.#readStruct(schema, value, place);
    }
  }

  #readMap(schema: Schema & { kind: 'map' }, value: JsonValue, place: Place): unknown {
    if (!isObject(value)) return this.#mismatch(schema, value, place);
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        this.read(schema.values, item, { ...place, path: [...place.path, key] }),
      ]),
    );
  }

  #readStruct(schema: Schema & { kind: 'struct' }, value: JsonValue, place: Place): unknown {
    if (!isObject(value)) return this.#mismatch(schema, value, place);
    const fields: [string, unknown][] = [];
    for (const name of Object.keys(value)) {
      const path = [...place.path, name];
      const known = Object.hasOwn(schema.fields, name) ? schema.fields[name] : undefined;
      const item = fieldOf(value, name) ?? null;
      if (!known) this.findings.push(undecodable(path, `unknown field "${pathText(path)}"`));
      else if (item !== null) {
        fields.push([name, this.read(known, item, { path, goStruct: schema.go, goField: [...place.goField, name] })]);
      }
    }
    return Object.fromEntries(fields);
  }

  #mismatch(schema: Schema, value: JsonValue, place: Place): unknown {
    const target = place.goField.length === 0 ? 'value' : `struct field ${place.goStruct}.${place.goField.join('.')}`;
    const message = `json: cannot unmarshal ${jsonType(schema, value)} into Go ${target} of type ${goType(schema)}`;
    this.findings.push(undecodable(place.path, message));
    return undefined;
  }
}

/** What null stands for where it is an item: Go leaves the zero value. */
function zeroOf(schema: Schema): unknown {
  switch (schema.kind) {
    case 'any':
      return null;
    case 'bool':
      return false;
    case 'text':
      return '';
    case 'integer':
    case 'intOrText':
      return 0;
    case 'list':
      return [];
    case 'map':
    case 'struct':
      return {};
  }
}

function isInteger(value: JsonValue, go: 'int32' | 'int64'): boolean {
  if (typeof value !== 'number' || !Number.isInteger(value)) return false;
  return go === 'int32' ? value >= -(2 ** 31) && value < 2 ** 31 : true;
}

/** How Go's decoder calls the value; a number that does not fit the type is quoted. */
function jsonType(schema: Schema, value: JsonValue): string {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') {
    return schema.kind === 'integer' || schema.kind === 'intOrText' ? `number ${value}` : 'number';
  }
  if (typeof value === 'string') return 'string';
  return isList(value) ? 'array' : 'object';
}

function goType(schema: Schema): string {
  switch (schema.kind) {
    case 'any':
      return 'interface {}';
    case 'bool':
      return 'bool';
    case 'text':
    case 'integer':
      return schema.go;
    case 'intOrText':
      return 'int32';
    case 'list':
      return `[]${goType(schema.items)}`;
    case 'map':
      return `map[string]${goType(schema.values)}`;
    case 'struct':
      return `v1.${schema.go}`;
  }
}
