import type { JsonObject } from '../manifest/json.ts';
import { labelValueErrors, qualifiedNameErrors } from '../manifest/name-rules.ts';
import { EVERYTHING, selects, type Requirement, type Selector } from '../model/selector.ts';
import { textAt, textMapAt } from './api-object.ts';
import { badRequest } from './status.ts';

/** Which objects a list or a watch is about. */
export type ObjectFilter = (object: JsonObject) => boolean;

/** The filter of `labelSelector` and `fieldSelector`; undefined if both are empty. Throws a 400 if either is wrong. */
export function objectFilter(labels: string, fields: string): ObjectFilter | undefined {
  const selector = parseLabelSelector(labels);
  const terms = parseFieldSelector(fields);
  if (selector.requirements.length === 0 && terms.length === 0) return undefined;
  return (object) =>
    terms.every(({ path, value, equal }) => (textAt(object, ...path) === value) === equal) &&
    selects(selector, textMapAt(object, 'metadata', 'labels'));
}

interface FieldTerm {
  readonly path: readonly string[];
  readonly value: string;
  readonly equal: boolean;
}

const FIELDS = new Set([
  'metadata.name',
  'metadata.namespace',
  'status.phase',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'status.podIP',
  'reason',
  'type',
  'source',
  ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
    (field) => `involvedObject.${field}`,
  ),
]);

function parseFieldSelector(text: string): FieldTerm[] {
  if (text === '') return [];
  return text.split(',').flatMap((term) => {
    if (term === '') return [];
    const match = /^([^=!]+)(!=|==|=)(.*)$/.exec(term);
    if (!match) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
    const [, field = '', operator, value = ''] = match;
    if (!FIELDS.has(field)) throw badRequest(`field label not supported: ${field}`);
    return [{ path: field.split('.'), value: value.replace(/\\([\\,=])/g, '$1'), equal: operator !== '!=' }];
  });
}

/**
 * A label selector as it is written in a URL: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Throws a 400 with what is wrong.
 * Source: k8s.io/apimachinery/pkg/labels. Cost: linear in the text.
 */
function parseLabelSelector(text: string): Selector {
  const tokens = tokensOf(text);
  if (tokens.length === 0) return EVERYTHING;
  const parser = new SelectorParser(tokens);
  return { requirements: parser.requirements() };
}

function tokensOf(text: string): string[] {
  return text.match(/!=|[(),!]|==?|[<>]|[^\s(),!=<>]+/g) ?? [];
}

class SelectorParser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  requirements(): Requirement[] {
    const found = [this.#requirement()];
    while (this.#at < this.#tokens.length) {
      this.#expect(',');
      found.push(this.#requirement());
    }
    return found;
  }

  #requirement(): Requirement {
    if (this.#peek() === '!') {
      this.#at += 1;
      return { key: this.#key(), operator: 'DoesNotExist', values: [] };
    }
    const key = this.#key();
    const operator = this.#peek();
    switch (operator) {
      case '':
      case ',':
        return { key, operator: 'Exists', values: [] };
      case '=':
      case '==':
      case '!=':
        this.#at += 1;
        return { key, operator: operator === '!=' ? 'NotIn' : 'In', values: [this.#value()] };
      case 'in':
      case 'notin':
        this.#at += 1;
        return { key, operator: operator === 'in' ? 'In' : 'NotIn', values: this.#values() };
      default:
        throw unreadable(`found '${operator}', expected: in, notin, =, ==, !=`);
    }
  }

  #values(): string[] {
    this.#expect('(');
    const values = [this.#value()];
    while (this.#peek() === ',') {
      this.#at += 1;
      values.push(this.#value());
    }
    this.#expect(')');
    return values;
  }

  #key(): string {
    const key = this.#word();
    const [error] = qualifiedNameErrors(key);
    if (error !== undefined) throw unreadable(`key: Invalid value: ${JSON.stringify(key)}: ${error}`);
    return key;
  }

  /** A value; none is the empty one. */
  #value(): string {
    const next = this.#peek();
    if (next === '' || next === ',' || next === ')') return '';
    const value = this.#word();
    const [error] = labelValueErrors(value);
    if (error !== undefined) throw unreadable(`values[0]: Invalid value: ${JSON.stringify(value)}: ${error}`);
    return value;
  }

  #word(): string {
    const word = this.#peek();
    if (!/^[^(),!=<>]/.test(word)) throw unreadable(`found '${word}', expected: identifier`);
    this.#at += 1;
    return word;
  }

  #expect(token: string): void {
    if (this.#peek() !== token) throw unreadable(`found '${this.#peek()}', expected: '${token}'`);
    this.#at += 1;
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? '';
  }
}

function unreadable(detail: string) {
  return badRequest(`unable to parse requirement: ${detail}`);
}
