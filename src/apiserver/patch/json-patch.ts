import { fieldOf, isList, isObject, textOf, type JsonValue } from '../../manifest/json.ts';
import { sameJson } from '../api-object.ts';

/** A JSON patch that does not fit the value: a path that leads nowhere, a test that fails. */
export class JsonPatchError extends Error {}

/** The value after the operations of a JSON patch, all or none. Throws JsonPatchError. Source: RFC 6902. */
export function jsonPatch(value: JsonValue, operations: readonly JsonValue[]): JsonValue {
  return operations.reduce<JsonValue>((current, operation) => applyOne(current, operation), value);
}

function applyOne(value: JsonValue, operation: JsonValue): JsonValue {
  if (!isObject(operation)) throw new JsonPatchError('an operation is an object');
  const name = textOf(operation, 'op');
  const path = stepsOf(fieldOf(operation, 'path'));
  const given = fieldOf(operation, 'value');
  switch (name) {
    case 'add':
      return put(value, path, { item: needed(given), mode: 'add' });
    case 'replace':
      return put(value, path, { item: needed(given), mode: 'replace' });
    case 'remove':
      return remove(value, path);
    case 'copy':
      return put(value, path, { item: read(value, stepsOf(fieldOf(operation, 'from'))), mode: 'add' });
    case 'move': {
      const from = stepsOf(fieldOf(operation, 'from'));
      const intoItself = from.length < path.length && from.every((step, index) => step === path[index]);
      if (intoItself) throw new JsonPatchError('a value cannot be moved into itself');
      return put(remove(value, from), path, { item: read(value, from), mode: 'add' });
    }
    case 'test':
      if (!sameJson(read(value, path), needed(given))) {
        throw new JsonPatchError(`testing value ${textOf(operation, 'path')} failed`);
      }
      return value;
    default:
      throw new JsonPatchError(`unexpected kind: ${name}`);
  }
}

function needed(value: JsonValue | undefined): JsonValue {
  if (value === undefined) throw new JsonPatchError('missing value');
  return value;
}

/** The steps of a JSON pointer. Source: RFC 6901. */
function stepsOf(pointer: JsonValue | undefined): string[] {
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/'))) {
    throw new JsonPatchError('a path is a text that begins with a slash');
  }
  return pointer === ''
    ? []
    : pointer
        .slice(1)
        .split('/')
        .map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'));
}

function read(value: JsonValue, path: readonly string[]): JsonValue {
  return path.reduce<JsonValue>((current, step) => child(current, step), value);
}

function child(value: JsonValue, step: string): JsonValue {
  const found = isList(value)
    ? value[indexOf(step, value.length - 1)]
    : isObject(value)
      ? fieldOf(value, step)
      : undefined;
  if (found === undefined) throw missing(step);
  return found;
}

interface Placed {
  readonly item: JsonValue;
  readonly mode: 'add' | 'replace';
}

function put(value: JsonValue, path: readonly string[], placed: Placed): JsonValue {
  const [step, ...rest] = path;
  if (step === undefined) return placed.item;
  if (rest.length > 0) return withChild(value, step, put(child(value, step), rest, placed));
  if (placed.mode === 'replace') child(value, step);
  if (isList(value) && placed.mode === 'add') {
    return value.toSpliced(step === '-' ? value.length : indexOf(step, value.length), 0, placed.item);
  }
  return withChild(value, step, placed.item);
}

function remove(value: JsonValue, path: readonly string[]): JsonValue {
  const [step, ...rest] = path;
  if (step === undefined) throw new JsonPatchError('the whole object cannot be removed');
  const inner = child(value, step);
  if (rest.length > 0) return withChild(value, step, remove(inner, rest));
  if (isList(value)) return value.toSpliced(indexOf(step, value.length - 1), 1);
  return Object.fromEntries(Object.entries(isObject(value) ? value : {}).filter(([name]) => name !== step));
}

function withChild(value: JsonValue, step: string, item: JsonValue): JsonValue {
  if (isList(value)) return value.with(indexOf(step, value.length - 1), item);
  if (!isObject(value)) throw missing(step);
  return { ...value, [step]: item };
}

function indexOf(step: string, highest: number): number {
  const index = /^(?:0|[1-9][0-9]{0,8})$/.test(step) ? Number(step) : Infinity;
  if (index > highest) throw missing(step);
  return index;
}

function missing(step: string): JsonPatchError {
  return new JsonPatchError(`doc is missing key: ${step}`);
}
