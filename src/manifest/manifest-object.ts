import type { Source } from '../model/source.ts';
import { pathText, type FieldPath } from './field-path.ts';
import type { Finding } from './finding.ts';
import type { Issue } from './issue.ts';
import type { JsonObject } from './json.ts';

/**
 * An object as it is written, of a kind and version that netpol-lab knows; not validated yet.
 * `namespace` is empty if the kind has none; `name` is made up from generateName where there is no name.
 */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly value: JsonObject;
  readonly source: Source;
  /** The line of the value at the path, or of the nearest that exists above it. */
  lineOf(path: FieldPath): number;
}

/** `KIND/NAMESPACE/NAME`, of which a cluster has one object. */
export function objectKey({ kind, namespace, name }: Pick<ManifestObject, 'kind' | 'namespace' | 'name'>): string {
  return `${kind}/${namespace}/${name}`;
}

/** A finding of this object as an issue of its file. */
export function issueOf(object: ManifestObject, finding: Finding): Issue {
  return {
    file: object.source.file,
    line: object.lineOf(finding.at),
    kind: object.kind,
    namespace: object.namespace,
    name: object.name,
    field: pathText(finding.path),
    type: finding.type,
    message: finding.message,
  };
}
