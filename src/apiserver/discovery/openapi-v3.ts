import { createHash } from 'node:crypto';
import type { JsonObject } from '../../manifest/json.ts';
import type { Schema } from '../../manifest/schema.ts';
import { apiVersionOf, RESOURCES, type Resource } from '../registry.ts';
import { describe, REQUIRED } from './field-docs.ts';
import { unreadType } from './unread-types.ts';

/** The OpenAPI v3 documents, one a group and version, by their path below /openapi/v3/. Cost: some 10 ms. */
export function openapiV3(): ReadonlyMap<string, { readonly text: string; readonly hash: string }> {
  const byPath = Map.groupBy(RESOURCES, (resource) => groupPath(resource));
  return new Map(
    [...byPath].map(([path, resources]) => {
      const text = JSON.stringify(documentOf(path, resources));
      return [path, { text, hash: createHash('sha256').update(text).digest('hex').slice(0, 32).toUpperCase() }];
    }),
  );
}

/** `/openapi/v3`: where the documents are. */
export function openapiV3Index(documents: ReturnType<typeof openapiV3>): JsonObject {
  const paths = [...documents].map(([path, { hash }]) => [
    path,
    { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` },
  ]);
  return { paths: Object.fromEntries(paths) as JsonObject };
}

function groupPath(resource: Resource): string {
  return resource.group === '' ? `api/${resource.version}` : `apis/${apiVersionOf(resource)}`;
}

function documentOf(path: string, resources: readonly Resource[]): JsonObject {
  const components = new Components();
  for (const resource of resources) components.addKind(resource);
  return {
    openapi: '3.0.0',
    info: { title: 'netpol-lab', version: 'v1.32.0' },
    paths: Object.fromEntries(resources.flatMap((resource) => pathsOf(`/${path}`, resource))),
    components: { schemas: Object.fromEntries(components.schemas) },
  };
}

function pathsOf(prefix: string, resource: Resource): [string, JsonObject][] {
  const list = `${prefix}${resource.namespaced ? '/namespaces/{namespace}' : ''}/${resource.plural}`;
  const schema = { $ref: referenceTo(componentName(resource.kind, resource)) };
  const operation = (action: string, parameters: readonly string[] = []): JsonObject => ({
    responses: { 200: { description: 'OK', content: { 'application/json': { schema } } } },
    parameters: parameters.map((name) => ({
      name,
      in: 'query',
      schema: { type: name === 'force' ? 'boolean' : 'string' },
    })),
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: resource.group, version: resource.version, kind: resource.kind },
  });
  const change = ['dryRun', 'fieldManager', 'fieldValidation'];
  // No request body of a patch is described: kubectl would take its merge keys from there.
  return [
    [
      list,
      {
        get: operation('list', ['labelSelector', 'fieldSelector', 'limit', 'continue', 'watch', 'resourceVersion']),
        post: operation('post', change),
        delete: operation('deletecollection'),
      },
    ],
    [
      `${list}/{name}`,
      {
        get: operation('get'),
        put: operation('put', change),
        patch: operation('patch', [...change, 'force']),
        delete: operation('delete', ['dryRun', 'propagationPolicy']),
      },
    ],
  ];
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const META_TYPES = ['ObjectMeta', 'LabelSelector', 'LabelSelectorRequirement'];

function componentName(type: string, { group, version }: { group: string; version: string }): string {
  if (META_TYPES.includes(type)) return `${META}.${type}`;
  return `io.k8s.api.${group === '' ? 'core' : (group.split('.')[0] ?? group)}.${version}.${type}`;
}

function referenceTo(component: string): string {
  return `#/components/schemas/${component}`;
}

/** The schemas of a document, each struct once. */
class Components {
  readonly schemas = new Map<string, JsonObject>();

  addKind(resource: Resource): void {
    const { group, version, kind } = resource;
    const name = this.#struct(resource.schema, resource);
    const schema = this.schemas.get(name) ?? {};
    this.schemas.set(name, { ...schema, 'x-kubernetes-group-version-kind': [{ group, version, kind }] });
  }

  /** Adds the struct and what it holds. @returns its name. */
  #struct(schema: Schema & { kind: 'struct' }, resource: Resource): string {
    const name = componentName(schema.go, resource);
    if (this.schemas.has(name)) return name;
    this.schemas.set(name, {}); // seen: structs can hold themselves
    const properties = Object.entries(schema.fields).map(([field, type]) => [
      field,
      this.#property(type, { owner: schema.go, field }, resource),
    ]);
    const required = REQUIRED.get(schema.go);
    this.schemas.set(name, {
      type: 'object',
      description: describe(schema.go, ''),
      properties: Object.fromEntries(properties) as JsonObject,
      ...(required ? { required } : {}),
    });
    return name;
  }

  #property(type: Schema, { owner, field }: { owner: string; field: string }, resource: Resource): JsonObject {
    const described = { description: describe(owner, field) };
    if (type.kind === 'any') return { ...described, ...unreadType(field) };
    const schema = this.#type(type, resource);
    return '$ref' in schema ? { ...described, allOf: [schema], default: {} } : { ...described, ...schema };
  }

  #type(type: Schema, resource: Resource): JsonObject {
    switch (type.kind) {
      case 'any':
        return { type: 'object' };
      case 'bool':
        return { type: 'boolean' };
      case 'text':
        return { type: 'string' };
      case 'integer':
        return { type: 'integer', format: type.go };
      case 'intOrText':
        return { type: 'string', format: 'int-or-string' };
      case 'list':
        return { type: 'array', items: this.#type(type.items, resource) };
      case 'map':
        return { type: 'object', additionalProperties: this.#type(type.values, resource) };
      case 'struct':
        return { $ref: referenceTo(this.#struct(type, resource)) };
    }
  }
}
