import type { FieldPath } from './field-path.ts';
import { notSupported, required, type Finding } from './finding.ts';
import type { Issue } from './issue.ts';
import { fieldOf, isList, isObject, textOf, type JsonObject, type JsonValue } from './json.ts';
import { matchKind } from './known-kinds.ts';
import { issueOf, type ManifestObject } from './manifest-object.ts';
import { suffixOf } from './safe-name.ts';
import { readDocuments } from './yaml-document.ts';

/** A text and where it comes from. */
export interface ManifestFile {
  readonly path: string;
  readonly text: string;
}

/** What the files hold: objects in their order, what cannot be read, and what is passed over. */
export interface Manifests {
  readonly objects: readonly ManifestObject[];
  readonly issues: readonly Issue[];
  readonly warnings: readonly string[];
}

/** Reads the objects of YAML and JSON texts; lists are unwrapped. Never throws: what cannot be read is an issue. */
export function parseManifests(files: readonly ManifestFile[]): Manifests {
  const reader = new ManifestReader();
  for (const file of files) reader.readFile(file);
  return reader;
}

/** A value that should be an object, and where it stands. `inherited` is the type that it has if it says none. */
interface Candidate {
  readonly file: string;
  readonly value: JsonValue;
  readonly lineOf: (path: FieldPath) => number;
  readonly inherited: { readonly apiVersion: string; readonly kind: string };
}

const NOTHING_INHERITED = { apiVersion: '', kind: '' };

// A file of such a name need not say what it is. Source: sigs.k8s.io/kustomize/api/konfig.
const KUSTOMIZATION_FILE = /(^|[/\\])(kustomization\.ya?ml|Kustomization)$/;
const KUSTOMIZATION = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' };

class ManifestReader implements Manifests {
  readonly objects: ManifestObject[] = [];
  readonly issues: Issue[] = [];
  readonly warnings: string[] = [];

  readFile({ path, text }: ManifestFile): void {
    const inherited = KUSTOMIZATION_FILE.test(path) ? KUSTOMIZATION : NOTHING_INHERITED;
    for (const document of readDocuments(text)) {
      if (document.kind === 'unreadable') this.#syntax(path, document.line, document.message);
      else this.#read({ file: path, value: document.value, lineOf: document.lineOf, inherited });
    }
  }

  #read(candidate: Candidate): void {
    const { file, value, lineOf, inherited } = candidate;
    if (!isObject(value)) {
      this.#syntax(file, lineOf([]), `an object with apiVersion and kind is expected, got ${typeName(value)}`);
      return;
    }
    const apiVersion = textOf(value, 'apiVersion') || inherited.apiVersion;
    const kind = textOf(value, 'kind') || inherited.kind;
    if (!isListKind(apiVersion, kind)) {
      this.#readObject(objectOf({ apiVersion, kind, value, file, lineOf }));
      return;
    }
    const items = fieldOf(value, 'items') ?? [];
    if (isList(items)) this.#readItems(items, { ...candidate, inherited: itemType(apiVersion, kind) });
    else this.#syntax(file, lineOf(['items']), `a list of objects is expected, got ${typeName(items)}`);
  }

  #readItems(items: readonly JsonValue[], list: Candidate): void {
    items.forEach((value, index) => {
      this.#read({ ...list, value, lineOf: (path) => list.lineOf(['items', index, ...path]) });
    });
  }

  #readObject(object: ManifestObject): void {
    const untyped = missingType(object);
    if (untyped.length > 0) {
      this.#report(object, untyped);
      return;
    }
    const match = matchKind(object.apiVersion, object.kind);
    switch (match.kind) {
      case 'known': {
        const unnamed = missingName(object);
        if (unnamed.length > 0) this.#report(object, unnamed);
        else this.objects.push(object);
        break;
      }
      case 'unknown':
        this.warnings.push(passedOver(object));
        break;
      case 'wrong-version':
        this.#report(object, [notSupported(['apiVersion'], object.apiVersion, [match.supported])]);
    }
  }

  #report(object: ManifestObject, findings: readonly Finding[]): void {
    this.issues.push(...findings.map((finding) => issueOf(object, finding)));
  }

  #syntax(file: string, line: number, message: string): void {
    this.issues.push({ file, line, kind: '', namespace: '', name: '', field: '', type: 'Syntax', message });
  }
}

function objectOf(read: {
  readonly apiVersion: string;
  readonly kind: string;
  readonly value: JsonObject;
  readonly file: string;
  readonly lineOf: (path: FieldPath) => number;
}): ManifestObject {
  const { apiVersion, kind, value, file, lineOf } = read;
  const metadata = fieldOf(value, 'metadata');
  const meta = isObject(metadata) ? metadata : {};
  const source = { file, line: lineOf([]) };
  const namespace = kind === 'Namespace' ? '' : textOf(meta, 'namespace') || 'default';
  const prefix = textOf(meta, 'generateName');
  const generated = prefix === '' ? '' : `${prefix}${suffixOf(`${file}:${source.line}`)}`;
  const name = textOf(meta, 'name') || generated;
  // What a typed list says for its items is theirs, and strict decoding wants to see it.
  return { apiVersion, kind, namespace, name, value: { ...value, apiVersion, kind }, source, lineOf };
}

function missingType({ apiVersion, kind }: ManifestObject): Finding[] {
  return [...(apiVersion === '' ? [required(['apiVersion'])] : []), ...(kind === '' ? [required(['kind'])] : [])];
}

function missingName({ name, value }: ManifestObject): Finding[] {
  // Where there is something in the place of a name, validation says what is wrong with it.
  const metadata = fieldOf(value, 'metadata');
  const unnamed =
    name === '' && (metadata === undefined || metadata === null || (isObject(metadata) && !hasName(metadata)));
  return unnamed ? [required(['metadata', 'name'], 'name or generateName is required')] : [];
}

function hasName(metadata: JsonObject): boolean {
  return [fieldOf(metadata, 'name'), fieldOf(metadata, 'generateName')].some(
    (field) => field !== undefined && field !== null && field !== '',
  );
}

/** Whether its items are read: other lists, and kinds that only sound like one, are objects like any other. */
function isListKind(apiVersion: string, kind: string): boolean {
  if (kind === 'List') return apiVersion === 'v1';
  return (
    apiVersion !== '' &&
    kind.endsWith('List') &&
    matchKind(apiVersion, kind.slice(0, -'List'.length)).kind !== 'unknown'
  );
}

/** What `NetworkPolicyList` says of its items; a plain `List` says nothing. */
function itemType(apiVersion: string, kind: string): Candidate['inherited'] {
  return kind === 'List' ? NOTHING_INHERITED : { apiVersion, kind: kind.slice(0, -'List'.length) };
}

function passedOver({ kind, name, source }: ManifestObject): string {
  const subject = name === '' ? kind : `${kind} ${name}`;
  return `${source.file}:${source.line}: ${subject} is passed over: netpol-lab does not know it`;
}

function typeName(value: JsonValue): string {
  if (isObject(value)) return 'an object';
  return isList(value) ? 'a list' : value === null ? 'null' : `a ${typeof value}`;
}
