import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
} from 'yaml';
import type { FieldPath } from './field-path.ts';
import { objectTexts } from './json-stream.ts';
import type { JsonValue } from './json.ts';

/** One document of a file: its value and where its parts stand, or why it cannot be read. */
export type YamlDocument =
  | { readonly kind: 'value'; readonly value: JsonValue; readonly lineOf: (path: FieldPath) => number }
  | { readonly kind: 'unreadable'; readonly line: number; readonly message: string };

/**
 * Reads all documents of a YAML or JSON text as kubectl does: YAML 1.1 booleans and octals, dates and sexagesimals
 * as text, keys as text; JSON objects may follow one another. Empty documents are left out. Never throws.
 */
export function readDocuments(text: string): YamlDocument[] {
  let linesAbove = 0;
  return objectTexts(text).flatMap((part) => {
    const documents = readPart(part, linesAbove);
    linesAbove += part.split('\n').length - 1;
    return documents;
  });
}

function readPart(text: string, linesAbove: number): YamlDocument[] {
  const lines = new LineCounter();
  const lineAt = (offset: number): number => linesAbove + lines.linePos(Math.min(offset, text.length)).line;
  try {
    return parsedDocuments(text, lines).flatMap((document) => readDocument(document, text, lineAt));
  } catch (error) {
    // Nesting deeper than the stack, for one.
    return [{ kind: 'unreadable', line: linesAbove + 1, message: `the text cannot be read: ${messageOf(error)}` }];
  }
}

/** The documents as the YAML library has them, for whoever changes their text. Throws where the text is beyond it. */
export function parsedDocuments(text: string, lineCounter: LineCounter): Document.Parsed[] {
  const documents = parseAllDocuments(text, {
    version: '1.1',
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !isForeign(tag)),
    lineCounter,
    prettyErrors: false,
  });
  return [...documents];
}

// kubectl takes these for plain text. Source: go-yaml resolve, sigs.k8s.io/yaml.
const FOREIGN_TAGS = ['binary', 'omap', 'pairs', 'set', 'timestamp'].map((name) => `tag:yaml.org,2002:${name}`);

function isForeign(tag: { readonly tag: string; readonly format?: string }): boolean {
  return tag.format === 'TIME' || FOREIGN_TAGS.includes(tag.tag);
}

function readDocument(document: Document.Parsed, text: string, lineAt: (offset: number) => number): YamlDocument[] {
  const [problem] = [...document.errors, ...document.warnings];
  if (problem)
    return [{ kind: 'unreadable', line: lineAt(faultOf(document, problem.pos[0])), message: problem.message }];
  const start = document.contents?.range[0] ?? document.range[0];
  try {
    const value = plain(document.toJS({ mapAsMap: true }), new Map());
    if (value === null) return [];
    const lineOf = (path: FieldPath): number => lineAt(offsetOf(document, path, text) ?? start);
    return [{ kind: 'value', value, lineOf }];
  } catch (error) {
    return [{ kind: 'unreadable', line: lineAt(start), message: messageOf(error) }];
  }
}

/** The offset of what is to be mended, of a problem that starts there: where lines are taken for one key, that is in the last of them. */
function faultOf({ errors }: Document.Parsed, start: number): number {
  const key = errors.find(({ code, pos }) => code === 'MULTILINE_IMPLICIT_KEY' && pos[0] === start);
  return key?.pos[1] ?? start;
}

/** A mark for what is being converted: meeting it again means that the value holds itself. */
const OPEN = Symbol('open');

/** The value as JSON. Throws if JSON cannot say it. `known` keeps what aliases repeat from being converted twice. */
function plain(value: unknown, known: Map<object, JsonValue | typeof OPEN>): JsonValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (!(value instanceof Map || Array.isArray(value))) {
    throw new TypeError(`JSON has no value ${typeof value === 'number' ? String(value) : `of type ${typeof value}`}`);
  }
  const earlier = known.get(value);
  if (earlier === OPEN) throw new TypeError('an alias stands for a value that holds the alias');
  if (earlier !== undefined) return earlier;
  known.set(value, OPEN);
  const result = Array.isArray(value) ? value.map((item) => plain(item, known)) : plainMap(value, known);
  known.set(value, result);
  return result;
}

function plainMap(map: Map<unknown, unknown>, known: Map<object, JsonValue | typeof OPEN>): JsonValue {
  const entries = new Map<string, JsonValue>();
  for (const [rawKey, item] of map) {
    const key = keyText(rawKey);
    if (entries.has(key)) throw new TypeError(`Map keys must be unique: ${JSON.stringify(key)}`);
    entries.set(key, plain(item, known));
  }
  return Object.fromEntries(entries);
}

function keyText(key: unknown): string {
  if (key === '__proto__') throw new TypeError('the key "__proto__" is not allowed');
  if (typeof key === 'string') return key;
  if (typeof key === 'number' || typeof key === 'boolean') return String(key);
  throw new TypeError('a key must be a text, a number or a boolean');
}

/** Where in the text the value at the path begins: its key or its dash, else those of its nearest ancestor. */
function offsetOf(document: Document.Parsed, path: FieldPath, text: string): number | undefined {
  let offset = document.contents?.range[0];
  let node: unknown = document.contents;
  for (const step of path) {
    const place = placeOf(isAlias(node) ? node.resolve(document) : node, step, text);
    if (!place) return offset;
    ({ offset, node } = place);
  }
  return offset;
}

function placeOf(node: unknown, step: string | number, text: string): { offset: number; node: unknown } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    return pair && isNode(pair.key) && pair.key.range ? { offset: pair.key.range[0], node: pair.value } : undefined;
  }
  if (isSeq(node) && typeof step === 'number') {
    const item = node.items[step];
    return isNode(item) && item.range ? { offset: dashBefore(item, text), node: item } : undefined;
  }
  return undefined;
}

/** The offset of the item's dash, which may be on a line above; of the item itself inside [brackets]. */
function dashBefore(item: Node, text: string): number {
  const start = item.range?.[0] ?? 0;
  let at = start - 1;
  while (at >= 0 && /\s/.test(text.charAt(at))) at -= 1;
  return text.charAt(at) === '-' ? at : start;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
