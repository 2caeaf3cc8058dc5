import type { JsonObject } from '../../manifest/json.ts';
import { at, nameOf, namespaceOf, numberAt, objectAt, textAt, type ApiObject } from '../api-object.ts';
import { badRequest, invalidObject } from '../status.ts';
import { labelSelectorText } from '../table/cell-text.ts';

/** A workload's number of pods as the subresource `scale` shows it. */
export function scaleOf(object: ApiObject): ApiObject {
  const { uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = at(object, 'spec', 'selector');
  const labels = object.kind === 'ReplicationController' ? { matchLabels: objectAt(selector) } : selector;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name: nameOf(object),
      namespace: namespaceOf(object),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    spec: { replicas: numberAt(object, 'spec', 'replicas') },
    status: { replicas: numberAt(object, 'status', 'replicas'), selector: labelSelectorText(labels) },
  };
}

/** The workload with the number of pods that a Scale asks for. Throws a 422 if that is less than none. */
export function withScale(object: ApiObject, scale: JsonObject): JsonObject {
  const replicas = at(scale, 'spec', 'replicas') ?? 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
    throw badRequest('Scale in version "v1" cannot be handled as a Scale: spec.replicas is no integer');
  }
  if (replicas < 0) {
    const message = `Invalid value: ${replicas}: must be greater than or equal to 0`;
    const issue = { field: 'spec.replicas', type: 'FieldValueInvalid', message };
    throw invalidObject({ group: 'autoscaling', kind: 'Scale' }, nameOf(object), [issue]);
  }
  const version = textAt(scale, 'metadata', 'resourceVersion');
  const metadata = { ...object.metadata, ...(version === '' ? {} : { resourceVersion: version }) };
  return { ...object, metadata, spec: { ...objectAt(object, 'spec'), replicas } };
}
