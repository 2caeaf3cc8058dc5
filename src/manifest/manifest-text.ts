import {
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  stringify,
  type Node,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import type { FieldPath } from './field-path.ts';
import type { JsonValue } from './json.ts';
import { parsedDocuments } from './yaml-document.ts';

/** Which object of a file is meant. */
interface ObjectKey {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** The lines of an object in a file, from 1, both included: its first key's and its last value's. */
export interface ObjectLines {
  readonly first: number;
  readonly last: number;
}

/** Where the object is in the text. @returns undefined if it is not there. */
export function objectLines(text: string, key: ObjectKey): ObjectLines | undefined {
  const lines = new LineCounter();
  const object = objectIn(text, key, lines);
  if (!object?.range) return undefined;
  return { first: lines.linePos(object.range[0]).line, last: lines.linePos(endOf(object)).line };
}

/**
 * The text with one more item at the end of a list of the object, which is made where there is none; all else stays,
 * letter by letter. @param path of the list. @returns undefined where the text is written in a way that this does not
 * know: what it returns is to be read again, and compared with what is meant.
 */
export function withItem(text: string, key: ObjectKey, insertion: Insertion): string | undefined {
  if (!text.includes('\r\n')) return withItemOfLines(text, key, insertion);
  if (/(?<!\r)\n/.test(text)) return undefined; // both ways to end a line: to keep them apart is not worth it
  return withItemOfLines(text.replaceAll('\r\n', '\n'), key, insertion)?.replaceAll('\n', '\r\n');
}

function withItemOfLines(text: string, key: ObjectKey, { path, item }: Insertion): string | undefined {
  const object = objectIn(text, key, new LineCounter());
  const field = path.at(-1);
  const parent = object && nodeAt(object, path.slice(0, -1));
  if (!isMap(parent) || typeof field !== 'string') return undefined;
  const style = new Style(text);
  const list = parent.get(field, true) as Node | null | undefined;
  if (list === undefined) return style.addField(parent, field, item);
  if (!isSeq(list)) return undefined;
  if (list.items.length > 0) return style.append(list, item);
  return parent.flow === true
    ? style.replace(list, style.flow([item]))
    : style.replace(list, style.below([item], style.column(keyOf(parent, field))), 1);
}

/**
 * The text with another string in place of one of the object's, quoted as that is; all else stays, letter by letter.
 * @returns undefined where there is none at the path: what it returns is to be read again, as of withItem.
 */
export function withString(text: string, key: ObjectKey, { path, value }: Replacement): string | undefined {
  const object = objectIn(text, key, new LineCounter());
  const node = object && nodeAt(object, path);
  if (!isScalar(node) || typeof node.value !== 'string') return undefined;
  const written = stringify(value, { defaultStringType: quotesOf(node), lineWidth: 0 }).trim();
  return new Style(text).replace(node, written);
}

/** A string in place of another. */
export interface Replacement {
  readonly path: FieldPath;
  readonly value: string;
}

function quotesOf({ type }: Scalar): 'QUOTE_DOUBLE' | 'QUOTE_SINGLE' | 'PLAIN' {
  return type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE' ? type : 'PLAIN';
}

/** An item that a list gets. */
export interface Insertion {
  readonly path: FieldPath;
  readonly item: JsonValue;
}

/** The last one counts, as where manifests are applied. */
function objectIn(text: string, key: ObjectKey, lines: LineCounter): YAMLMap | undefined {
  const maps = parsedDocuments(text, lines).flatMap(({ contents }) => objectsOf(contents));
  return maps.findLast((map) => {
    const namespace = map.getIn(['metadata', 'namespace']) ?? 'default';
    return map.get('kind') === key.kind && map.getIn(['metadata', 'name']) === key.name && namespace === key.namespace;
  });
}

function objectsOf(node: unknown): YAMLMap[] {
  if (!isMap(node)) return [];
  const items = node.get('items', true);
  return isSeq(items) ? items.items.flatMap(objectsOf) : [node];
}

function nodeAt(node: Node, path: FieldPath): Node | undefined {
  let at: unknown = node;
  for (const step of path) at = isMap(at) || isSeq(at) ? at.get(step, true) : undefined;
  return isNode(at) && !isAlias(at) ? at : undefined;
}

function keyOf(map: YAMLMap, field: string): Node | undefined {
  const pair = map.items.find(({ key }) => isScalar(key) && key.value === field);
  return isNode(pair?.key) ? pair.key : undefined;
}

/** Where the last thing in the node ends; comments behind it are not its own. */
function endOf(node: Node): number {
  const last: unknown = (isMap(node) || isSeq(node)) && node.flow !== true ? node.items.at(-1) : undefined;
  const inner = isPair(last) ? (last.value ?? last.key) : last;
  return isNode(inner) ? endOf(inner) : (node.range?.[1] ?? 0);
}

/** Writes as the text around is written. */
class Style {
  readonly #text: string;
  readonly #isJson: boolean;
  /** Whether the dashes of lists stand to the right of the key above. */
  readonly #indentSeq: boolean;

  constructor(text: string) {
    this.#text = text;
    this.#isJson = /^\s*[[{]\s*"/.test(text);
    this.#indentSeq = !/^( *)\w+:\n\1- /m.test(text);
  }

  append(list: Node & { readonly items: readonly unknown[]; readonly flow?: boolean }, item: JsonValue) {
    const last = list.items.at(-1);
    if (!isNode(last) || !last.range) return undefined;
    if (list.flow === true) return this.#insert(last.range[1], `, ${this.flow(item)}`);
    const dash = this.#text.lastIndexOf('-', last.range[0]);
    return this.#insert(this.#lineEnd(endOf(last)), `\n${this.#block([item], this.#columnAt(dash))}`);
  }

  addField(map: YAMLMap, field: string, item: JsonValue): string | undefined {
    const end = endOf(map);
    if (map.flow !== true) {
      const [first] = map.items;
      const column = this.column(isNode(first?.key) ? first.key : undefined);
      const name = `\n${' '.repeat(column)}${field}:`;
      return this.#insert(this.#lineEnd(end), `${name}${this.below([item], column)}`);
    }
    const last = map.items.at(-1);
    const behind = isPair(last) && isNode(last.value) ? last.value.range?.[1] : undefined;
    const written = this.#isJson ? JSON.stringify(field) : field;
    return behind === undefined ? undefined : this.#insert(behind, `, ${written}: ${this.flow([item])}`);
  }

  /** @param before how many characters before the node go as well. */
  replace({ range }: Node, by: string, before = 0): string | undefined {
    if (!range) return undefined;
    return `${this.#text.slice(0, range[0] - before)}${by}${this.#text.slice(range[1])}`;
  }

  flow(value: JsonValue): string {
    return this.#isJson
      ? JSON.stringify(value)
      : stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true }).trim();
  }

  /** A list as the value of a key, on lines below it. */
  below(items: readonly JsonValue[], keyColumn: number): string {
    return `\n${this.#block(items, keyColumn + (this.#indentSeq ? 2 : 0))}`;
  }

  column(node: Node | undefined): number {
    return node?.range ? this.#columnAt(node.range[0]) : 0;
  }

  #block(items: readonly JsonValue[], column: number): string {
    const text = stringify(items, { indentSeq: this.#indentSeq, lineWidth: 0 }).trimEnd();
    return text.replace(/^/gm, ' '.repeat(column));
  }

  #columnAt(offset: number): number {
    return offset - (this.#text.lastIndexOf('\n', offset - 1) + 1);
  }

  #lineEnd(offset: number): number {
    const end = this.#text.indexOf('\n', offset);
    return end < 0 ? this.#text.length : end;
  }

  #insert(offset: number, by: string): string {
    return `${this.#text.slice(0, offset)}${by}${this.#text.slice(offset)}`;
  }
}
