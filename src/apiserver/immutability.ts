import { forbidden, invalid, type Finding, GoSyntax } from '../manifest/finding.ts';
import { pathText, type FieldPath } from '../manifest/field-path.ts';
import { isObject, type JsonObject, type JsonValue } from '../manifest/json.ts';
import { at, listAt, objectAt, sameJson, textAt, without } from './api-object.ts';
import type { Resource } from './registry.ts';
import type { FieldIssue } from './validation.ts';

/** What of the change the API server refuses because the field cannot be changed. */
export function immutabilityIssues({ kind }: Resource, before: JsonObject, after: JsonObject): FieldIssue[] {
  return findings(kind, before, after).map(({ path, type, message }) => ({ field: pathText(path), type, message }));
}

const FIELD_IS_IMMUTABLE = 'field is immutable';

const POD_RULE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

const STATEFUL_SET_FIELDS = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

const STATEFUL_SET_RULE =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
  "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

function findings(kind: string, before: JsonObject, after: JsonObject): Finding[] {
  switch (kind) {
    case 'Pod':
      return samePodSpec(before, after) ? [] : [forbidden(['spec'], POD_RULE)];
    case 'Deployment':
    case 'ReplicaSet':
    case 'DaemonSet':
      return fixed(before, after, ['spec', 'selector']);
    case 'StatefulSet': {
      const rest = (object: JsonObject) =>
        without(objectAt(object, 'spec'), ...STATEFUL_SET_FIELDS, 'revisionHistoryLimit');
      return sameJson(rest(before), rest(after)) ? [] : [forbidden(['spec'], STATEFUL_SET_RULE)];
    }
    case 'Job':
      return [
        ...fixed(before, after, ['spec', 'completions']),
        ...fixed(before, after, ['spec', 'selector']),
        ...fixed(before, after, ['spec', 'template']),
        ...fixed(before, after, ['spec', 'completionMode']),
      ];
    case 'Service':
      return clusterIpFindings(before, after);
    case 'EndpointSlice':
      return fixed(before, after, ['addressType']);
    case 'ConfigMap':
      return configMapFindings(before, after);
    default:
      return [];
  }
}

function fixed(before: JsonObject, after: JsonObject, path: readonly string[]): Finding[] {
  const value = at(after, ...path);
  if (sameJson(at(before, ...path), value)) return [];
  return [invalid(path, path.at(-1) === 'selector' ? goSelector(value) : (value ?? null), FIELD_IS_IMMUTABLE)];
}

/** A label selector as Go's %#v has it, which the message shows. */
function goSelector(selector: JsonValue | undefined): GoSyntax {
  const labels = Object.entries(objectAt(selector, 'matchLabels')).sort(([one], [other]) => (one < other ? -1 : 1));
  const pairs = labels.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(', ');
  const requirements = listAt(selector, 'matchExpressions').map((one) => {
    const values = listAt(one, 'values').map((value) => JSON.stringify(value));
    const list = at(one, 'values') === undefined ? '[]string(nil)' : `[]string{${values.join(', ')}}`;
    return `v1.LabelSelectorRequirement{Key:${JSON.stringify(textAt(one, 'key'))}, Operator:${JSON.stringify(textAt(one, 'operator'))}, Values:${list}}`;
  });
  const type = '[]v1.LabelSelectorRequirement';
  const expressions = requirements.length === 0 ? `${type}(nil)` : `${type}{${requirements.join(', ')}}`;
  const map = labels.length === 0 ? 'map[string]string(nil)' : `map[string]string{${pairs}}`;
  return new GoSyntax(`v1.LabelSelector{MatchLabels:${map}, MatchExpressions:${expressions}}`);
}

function samePodSpec(before: JsonObject, after: JsonObject): boolean {
  const images = (list: readonly JsonValue[]) => list.map((one) => (isObject(one) ? without(one, 'image') : one));
  const frozen = (object: JsonObject): JsonObject => {
    const spec = objectAt(object, 'spec');
    return {
      // The scheduler writes the node.
      ...without(spec, 'activeDeadlineSeconds', 'tolerations', 'terminationGracePeriodSeconds', 'nodeName'),
      containers: images(listAt(spec, 'containers')),
      initContainers: images(listAt(spec, 'initContainers')),
    };
  };
  const node = textAt(before, 'spec', 'nodeName');
  const nodeKept = node === '' || node === textAt(after, 'spec', 'nodeName');
  return nodeKept && sameJson(frozen(before), frozen(after));
}

/** Source: ValidateServiceClusterIPsRelatedFields. A Service that becomes one of another type may lose its address. */
function clusterIpFindings(before: JsonObject, after: JsonObject): Finding[] {
  const [was, is] = [textAt(before, 'spec', 'clusterIP'), textAt(after, 'spec', 'clusterIP')];
  const external = [before, after].some((object) => textAt(object, 'spec', 'type') === 'ExternalName');
  if (was === '' || was === is || external) return [];
  const path: FieldPath = ['spec', 'clusterIPs', 0];
  return [invalid(path, new GoSyntax(`[]string{${JSON.stringify(is)}}`), 'may not change once set')];
}

function configMapFindings(before: JsonObject, after: JsonObject): Finding[] {
  if (at(before, 'immutable') !== true) return [];
  const rule = 'field is immutable when `immutable` is set';
  return ['immutable', 'data', 'binaryData'].flatMap((field) =>
    sameJson(at(before, field), at(after, field)) ? [] : [forbidden([field], rule)],
  );
}
