import { checkMetadata } from '../manifest/check-metadata.ts';
import { pathText } from '../manifest/field-path.ts';
import { notSupported, required, type Finding } from '../manifest/finding.ts';
import type { Issue } from '../manifest/issue.ts';
import type { JsonObject } from '../manifest/json.ts';
import type { ManifestObject } from '../manifest/manifest-object.ts';
import { matchKind } from '../manifest/known-kinds.ts';
import { dnsSubdomainErrors } from '../manifest/name-rules.ts';
import { cidrWarnings, parseCidr } from '../manifest/cidr.ts';
import type { ObjectMeta } from '../manifest/metadata-schema.ts';
import { decode, type Schema } from '../manifest/schema.ts';
import { validateObject } from '../manifest/validate.ts';
import { listAt, nameOf, namespaceOf, objectAt, textAt, type ApiObject } from './api-object.ts';
import type { Resource } from './registry.ts';
import { POLICY, STAGED_POLICY, unstaged } from './staged-policy.ts';
import { badRequest } from './status.ts';

/** What happens to fields that Kubernetes does not know: refused, dropped with a warning, dropped. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** What is wrong with a field, in the API server's words. */
export type FieldIssue = Pick<Issue, 'field' | 'type' | 'message'>;

/**
 * The object as the API server's decoder reads it: null fields are gone, as are unknown ones, for which there are
 * warnings. Throws a 400 for wrong types, and for unknown fields if these are refused.
 */
export function decoded(
  resource: Resource,
  value: JsonObject,
  unknownFields: FieldValidation,
): { readonly value: JsonObject; readonly warnings: readonly string[] } {
  const reading: { value: unknown; findings: readonly Finding[] } = decode<Schema>(resource.schema, value);
  const unknown = reading.findings.filter(isUnknownField).map(({ message }) => message);
  const mismatch = reading.findings.find((finding) => !isUnknownField(finding));
  const { kind, version } = resource;
  const refused = (text: string) =>
    badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${text}`);
  if (mismatch) throw refused(mismatch.message);
  if (unknownFields === 'Strict' && unknown.length > 0) throw refused(`strict decoding error: ${unknown.join(', ')}`);
  return { value: reading.value as JsonObject, warnings: unknownFields === 'Warn' ? unknown : [] };
}

/** What the API server refuses the object for; empty if it is fine. */
export function issuesOf(resource: Resource, object: ApiObject): FieldIssue[] {
  const { namespaced } = resource;
  const manifest = unstaged(manifestOf(object));
  if (matchKind(manifest.apiVersion, manifest.kind).kind === 'known') return validateObject(manifest);
  const metadata = objectAt(object, 'metadata') as ObjectMeta; // it has been decoded
  const findings = [...checkMetadata(metadata, { namespaced, nameErrors: dnsSubdomainErrors }), ...checkRest(object)];
  return findings.map(({ path, type, message }) => ({ field: pathText(path), type, message }));
}

/** A stored object as src/manifest reads it: what a cluster is built of. `file` stands for the place that it came from. */
export function manifestOf(object: ApiObject, file = ''): ManifestObject {
  const { apiVersion, kind } = object;
  const [namespace, name] = [namespaceOf(object), nameOf(object)];
  return { apiVersion, kind, namespace, name, value: object, source: { file, line: 0 }, lineOf: () => 0 };
}

/** What the API server takes, but warns of. */
export function warningsOf(resource: Resource, object: JsonObject): string[] {
  if (resource !== POLICY && resource !== STAGED_POLICY) return [];
  const sides = [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const;
  return sides.flatMap(([side, peers]) =>
    listAt(object, 'spec', side).flatMap((rule, index) =>
      listAt(rule, peers).flatMap((peer, at) => {
        const path = `spec.${side}[${index}].${peers}[${at}].ipBlock`;
        const except = listAt(peer, 'ipBlock', 'except').filter((text) => typeof text === 'string');
        const blocks = [
          [`${path}.cidr`, textAt(peer, 'ipBlock', 'cidr')],
          ...except.map((text, number) => [`${path}.except[${number}]`, text]),
        ];
        return blocks.flatMap(([field = '', text = '']) => ambiguity(field, text));
      }),
    ),
  );
}

function ambiguity(field: string, text: string): string[] {
  const prefix = parseCidr(text);
  return prefix ? cidrWarnings(text, prefix).map((warning) => `${field}: ${warning}`) : [];
}

function isUnknownField({ message }: Finding): boolean {
  return message.startsWith('unknown field ');
}

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];

function checkRest(object: ApiObject): Finding[] {
  switch (object.kind) {
    case 'EndpointSlice': {
      const type = textAt(object, 'addressType');
      if (type === '') return [required(['addressType'])];
      return ADDRESS_TYPES.includes(type) ? [] : [notSupported(['addressType'], type, ADDRESS_TYPES)];
    }
    case 'Event':
      return Object.keys(objectAt(object, 'involvedObject')).length === 0 ? [required(['involvedObject'])] : [];
    default:
      return [];
  }
}
