import type { JsonObject } from '../../manifest/json.ts';
import { bytesField } from '../protobuf/writer.ts';
import { RESOURCES, type Resource } from '../registry.ts';

/** The media type that kubectl asks the document in. */
export const OPENAPI_V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

const INFO = { title: 'netpol-lab', version: 'v1.32.0' };

/** The OpenAPI v2 document as JSON: one open definition a kind. What validates is v3 and the server. */
export function openapiV2(): JsonObject {
  const definitions = RESOURCES.map((resource) => [
    definitionName(resource),
    { type: 'object', 'x-kubernetes-group-version-kind': [gvkOf(resource)] },
  ]);
  return { swagger: '2.0', info: INFO, paths: {}, definitions: Object.fromEntries(definitions) as JsonObject };
}

/** The same in the protobuf of gnostic's openapi_v2.Document, without which kubectl refuses `kind: List`. */
export function openapiV2Protobuf(): Buffer {
  const definitions = RESOURCES.map((resource) => bytesField(1, namedSchema(resource)));
  return Buffer.concat([
    bytesField(1, '2.0'),
    bytesField(2, Buffer.concat([bytesField(1, INFO.title), bytesField(2, INFO.version)])),
    bytesField(8, ''),
    bytesField(9, Buffer.concat(definitions)),
  ]);
}

// The field numbers of openapi_v2.NamedSchema, Schema, TypeItem, NamedAny and Any in OpenAPIv2.proto of gnostic.
function namedSchema(resource: Resource): Buffer {
  const { group, version, kind } = gvkOf(resource);
  const yaml = `- group: "${group}"\n  kind: ${kind}\n  version: ${version}\n`;
  const extension = Buffer.concat([
    bytesField(1, 'x-kubernetes-group-version-kind'),
    bytesField(2, bytesField(2, yaml)),
  ]);
  const schema = Buffer.concat([bytesField(22, bytesField(1, 'object')), bytesField(31, extension)]);
  return Buffer.concat([bytesField(1, definitionName(resource)), bytesField(2, schema)]);
}

function definitionName({ group, version, kind }: Resource): string {
  return `io.k8s.api.${group === '' ? 'core' : (group.split('.')[0] ?? group)}.${version}.${kind}`;
}

function gvkOf({ group, version, kind }: Resource): { group: string; version: string; kind: string } {
  return { group, version, kind };
}
