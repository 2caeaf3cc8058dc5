import { isObject, type JsonObject, type JsonValue } from '../../manifest/json.ts';
import { pathText, type FieldPath } from '../../manifest/field-path.ts';
import type { ManifestObject } from '../../manifest/manifest-object.ts';
import { listAt, numberAt, objectAt, textAt, type ApiObject } from '../../apiserver/api-object.ts';
import { manifestOf } from '../../apiserver/validation.ts';

/** Where verdicts say that an object comes from which was written by way of the API. */
const API_FILE = 'kubectl';

/** Where a manifest's object is written, as the store keeps it: the file, and the lines of what verdicts name. */
export function originOf(object: ManifestObject): JsonObject {
  const paths = object.kind === 'NetworkPolicy' ? policyPaths(object.value) : [];
  const lines = paths.map((path): [string, number] => [pathText(path), object.lineOf(path)]);
  return { file: object.source.file, line: object.source.line, lines: Object.fromEntries(lines) };
}

/** A stored object as src/manifest reads it, with its file and lines. */
export function sourced(object: ApiObject, origin: JsonObject | undefined): ManifestObject {
  if (!origin) return manifestOf(object, API_FILE);
  const line = numberAt(origin, 'line');
  const lines = objectAt(origin, 'lines');
  const lineOf = (path: FieldPath): number => {
    for (let length = path.length; length > 0; length -= 1) {
      const found = lines[pathText(path.slice(0, length))];
      if (typeof found === 'number') return found;
    }
    return line;
  };
  return { ...manifestOf(object), source: { file: textAt(origin, 'file'), line }, lineOf };
}

/** The paths of a policy's rules, peers and ports. */
function policyPaths(value: JsonObject): FieldPath[] {
  const sides = [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const;
  return sides.flatMap(([side, peers]) =>
    listAt(value, 'spec', side).flatMap((rule, index) => {
      const path = ['spec', side, index];
      return [path, ...itemPaths(rule, path, peers), ...itemPaths(rule, path, 'ports')];
    }),
  );
}

function itemPaths(rule: JsonValue, path: FieldPath, field: string): FieldPath[] {
  return isObject(rule) ? listAt(rule, field).map((_, index) => [...path, field, index]) : [];
}
