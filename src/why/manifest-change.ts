import { stringify } from 'yaml';
import { withItem, withString, type Insertion, type Replacement } from '../manifest/manifest-text.ts';
import { isList, isObject, type JsonObject, type JsonValue } from '../manifest/json.ts';
import { parseManifests } from '../manifest/manifest.ts';
import type { ManifestObject } from '../manifest/manifest-object.ts';
import type { FieldPath } from '../manifest/field-path.ts';
import { invariant } from '../model/invariant.ts';
import { podKey } from '../model/pod.ts';
import type { NetworkPolicy } from '../model/policy.ts';
import { policyIn, type PolicyManifest } from './policy-manifest.ts';
import { peersField, type Permission } from './permission.ts';

/** A change of one file: of one that is there, or a new one if `before` is null. */
export interface ManifestChange {
  /** What it does, in a few words. */
  readonly summary: string;
  readonly path: string;
  readonly before: string | null;
  readonly after: string;
  /** The policy with the change, as it is written and as it is meant. */
  readonly object: ManifestObject;
  readonly policy: NetworkPolicy;
}

/** A change that adds an item to a list of a policy. @returns undefined where the text cannot be changed so, or would then say something else. */
export function addition(
  manifest: PolicyManifest,
  { path, item, what }: Insertion & { readonly what: string },
): ManifestChange | undefined {
  const after = withItem(manifest.file.text, manifest.object, { path, item });
  const items = (list: JsonValue | undefined): JsonValue => [...(isList(list) ? list : []), item];
  return changeOf(manifest, { after, expected: edited(manifest.object.value, path, items), what });
}

/** A change of one string of a policy. @returns undefined as of `addition`. */
export function correction(
  manifest: PolicyManifest,
  { path, value, what }: Replacement & { readonly what: string },
): ManifestChange | undefined {
  const after = withString(manifest.file.text, manifest.object, { path, value });
  return changeOf(manifest, { after, expected: edited(manifest.object.value, path, () => value), what });
}

/** The change to a text, if it says what is expected there, and all else as before. */
function changeOf(
  { object, file }: PolicyManifest,
  { after, expected, what }: { after: string | undefined; expected: JsonValue; what: string },
): ManifestChange | undefined {
  if (after === undefined) return undefined;
  const changed = policyIn({ path: file.path, text: after }, object);
  if (!changed || JSON.stringify(changed.object.value) !== JSON.stringify(expected)) return undefined;
  if (othersIn(file.text, object) !== othersIn(after, object)) return undefined;
  const summary = `${what} ${podKey(object)}`;
  return { summary, path: file.path, before: file.text, after, object: changed.object, policy: changed.policy };
}

/** A new policy that allows the connection and nothing that another does not select as well. @param taken names that its namespace has. */
export function newPolicy(permission: Permission, taken: ReadonlySet<string>): ManifestChange {
  const { direction, subject, podSelector } = permission;
  const peerName = permission.far?.owner.name ?? 'outside';
  const wish = `allow-${subject.owner.name}-${direction === 'egress' ? 'to' : 'from'}-${peerName}`
    .slice(0, MAX_NAME)
    .replace(/[-.]+$/, '');
  const name = [wish, ...Array.from(taken, (_, index) => `${wish}-${index + 2}`)].find((each) => !taken.has(each));
  invariant(name, 'one more name than are taken is free');
  const policyTypes = [direction === 'egress' ? 'Egress' : 'Ingress'];
  const text = stringify(
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name, namespace: subject.namespace },
      spec: { podSelector, policyTypes, [direction]: [ruleOf(permission)] },
    },
    { lineWidth: 0 },
  );
  const file = { path: `${name}.yaml`, text };
  const made = policyIn(file, { namespace: subject.namespace, name });
  invariant(made, 'a policy that is made is valid');
  const summary = `a new policy ${subject.namespace}/${name}`;
  return { summary, path: file.path, before: null, after: text, object: made.object, policy: made.policy };
}

const MAX_NAME = 240; // leaves room for a number within the 253 characters of a name

/** A rule that allows the connection alone. */
export function ruleOf({ direction, peer, port }: Permission): JsonObject {
  return { [peersField(direction)]: [peer], ...(port ? { ports: [port] } : {}) };
}

/** The value with what is at the path as the edit makes it. */
function edited(
  value: JsonValue | undefined,
  path: FieldPath,
  edit: (before: JsonValue | undefined) => JsonValue,
): JsonValue {
  const [step, ...rest] = path;
  if (step === undefined) return edit(value);
  if (typeof step === 'number') {
    const list = isList(value) ? value : [];
    return list.map((each, index) => (index === step ? edited(each, rest, edit) : each));
  }
  const object = isObject(value) ? value : {};
  return { ...object, [step]: edited(object[step], rest, edit) };
}

/** All else that the file says. */
function othersIn(text: string, { kind, namespace, name }: ManifestObject): string {
  const { objects, issues, warnings } = parseManifests([{ path: '', text }]);
  const others = objects.filter((each) => each.kind !== kind || podKey(each) !== podKey({ namespace, name }));
  return JSON.stringify([others.map(({ value }) => value), issues.length, warnings.length]);
}
