import { INT32, listOf, struct, TEXT, TEXT_MAP, textOfType, unread, type Decoded } from './schema.ts';

/** Source: meta/v1 ObjectMeta. */
export const OBJECT_META = struct('ObjectMeta', {
  name: TEXT,
  generateName: TEXT,
  namespace: TEXT,
  labels: TEXT_MAP,
  annotations: TEXT_MAP,
  ...unread(
    'selfLink',
    'uid',
    'resourceVersion',
    'generation',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'ownerReferences',
    'finalizers',
    'managedFields',
  ),
});

/** Source: meta/v1 LabelSelector. */
export const LABEL_SELECTOR = struct('LabelSelector', {
  matchLabels: TEXT_MAP,
  matchExpressions: listOf(
    struct('LabelSelectorRequirement', {
      key: TEXT,
      operator: textOfType('v1.LabelSelectorOperator'),
      values: listOf(TEXT),
    }),
  ),
});

/** Metadata of any object. */
export type ObjectMeta = Decoded<typeof OBJECT_META>;

/** A label selector as it is written. */
export type LabelSelector = Decoded<typeof LABEL_SELECTOR>;

/** The fields that every object has. */
export const TOP = { apiVersion: TEXT, kind: TEXT, metadata: OBJECT_META } as const;

/** How many: replicas, parallelism, completions. */
export const COUNT = INT32;
