import type { FieldPath } from './field-path.ts';
import { forbidden, invalid, invalids, required, standingAt, type Finding } from './finding.ts';
import type { LabelSelector, ObjectMeta } from './metadata-schema.ts';
import { dnsLabelErrors, labelValueErrors, qualifiedNameErrors } from './name-rules.ts';

/** What ValidateObjectMeta finds. `nameErrors` is the rule for this kind's names; a generated name is checked as such. */
export function checkMetadata(
  meta: ObjectMeta,
  kind: { readonly namespaced: boolean; readonly nameErrors: (name: string) => string[] },
): Finding[] {
  const path = ['metadata'];
  return [
    ...checkName(meta, kind.nameErrors, path),
    ...checkNamespace(meta, kind.namespaced, path),
    ...checkMarks(meta, path),
  ];
}

/** Labels and annotations, also of a pod template. */
export function checkMarks(meta: ObjectMeta, path: FieldPath): Finding[] {
  const annotations = [...path, 'annotations'];
  return [
    ...checkLabels(meta.labels ?? {}, [...path, 'labels']),
    ...Object.keys(meta.annotations ?? {}).flatMap((key) =>
      standingAt([...annotations, key], invalids(annotations, key, qualifiedNameErrors(key.toLowerCase()))),
    ),
  ];
}

/** What ValidateLabels finds; each finding is of the whole map. */
export function checkLabels(labels: Readonly<Record<string, string>>, path: FieldPath): Finding[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...standingAt([...path, key], invalids(path, key, qualifiedNameErrors(key))),
    ...standingAt([...path, key], invalids(path, value, labelValueErrors(value))),
  ]);
}

/** What ValidateLabelSelector finds. */
export function checkSelector(selector: LabelSelector, path: FieldPath): Finding[] {
  return [
    ...checkLabels(selector.matchLabels ?? {}, [...path, 'matchLabels']),
    ...(selector.matchExpressions ?? []).flatMap((expression, index) =>
      checkRequirement(expression, [...path, 'matchExpressions', index]),
    ),
  ];
}

function checkRequirement(
  { key = '', operator = '', values = [] }: NonNullable<LabelSelector['matchExpressions']>[number],
  path: FieldPath,
): Finding[] {
  return [
    ...checkOperator(operator, values, path),
    ...invalids([...path, 'key'], key, qualifiedNameErrors(key)),
    ...values.flatMap((value, index) => invalids([...path, 'values', index], value, labelValueErrors(value))),
  ];
}

function checkOperator(operator: string, values: readonly string[], path: FieldPath): Finding[] {
  const at = [...path, 'values'];
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length === 0 ? [required(at, "must be specified when `operator` is 'In' or 'NotIn'")] : [];
    case 'Exists':
    case 'DoesNotExist':
      return values.length > 0
        ? [forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
        : [];
    default:
      return [invalid([...path, 'operator'], operator, 'not a valid selector operator')];
  }
}

function checkName(meta: ObjectMeta, nameErrors: (name: string) => string[], path: FieldPath): Finding[] {
  const { name = '', generateName = '' } = meta;
  // What is put after a generated name's prefix may follow a dash.
  const prefix = generateName.replace(/-$/, 'a');
  const generated = generateName === '' ? [] : invalids([...path, 'generateName'], generateName, nameErrors(prefix));
  if (name !== '') return [...generated, ...invalids([...path, 'name'], name, nameErrors(name))];
  return generateName === '' ? [required([...path, 'name'], 'name or generateName is required')] : generated;
}

function checkNamespace({ namespace = '' }: ObjectMeta, namespaced: boolean, path: FieldPath): Finding[] {
  const at = [...path, 'namespace'];
  if (namespace === '') return [];
  return namespaced ? invalids(at, namespace, dnsLabelErrors(namespace)) : [forbidden(at, 'not allowed on this type')];
}
