/**
 * How a field of a Kubernetes message becomes JSON. `zero`: its zero value says something and is kept (a pointer in Go).
 */
export type MessageField =
  | { readonly kind: 'text' | 'time' | 'intOrText'; readonly repeated?: boolean }
  | { readonly kind: 'integer' | 'bool'; readonly zero?: boolean }
  | { readonly kind: 'map' }
  | { readonly kind: 'message'; readonly fields: MessageFields; readonly repeated?: boolean };

/** The fields of a message by their numbers, with their names in JSON. */
export type MessageFields = Readonly<Record<number, readonly [string, MessageField]>>;

const TEXT: MessageField = { kind: 'text' };
const TEXTS: MessageField = { kind: 'text', repeated: true };
const INTEGER: MessageField = { kind: 'integer' };
const COUNT: MessageField = { kind: 'integer', zero: true };
const BOOL: MessageField = { kind: 'bool' };
const FLAG: MessageField = { kind: 'bool', zero: true };
const TIME: MessageField = { kind: 'time' };
const MAP: MessageField = { kind: 'map' };
const INT_OR_TEXT: MessageField = { kind: 'intOrText' };

function one(fields: MessageFields): MessageField {
  return { kind: 'message', fields };
}

function many(fields: MessageFields): MessageField {
  return { kind: 'message', fields, repeated: true };
}

// The numbers below are those of generated.proto of each group in k8s.io/api, release 1.32. What is not listed is
// not read by a lab.

const OWNER: MessageFields = {
  1: ['kind', TEXT],
  3: ['name', TEXT],
  4: ['uid', TEXT],
  5: ['apiVersion', TEXT],
  6: ['controller', FLAG],
  7: ['blockOwnerDeletion', FLAG],
};

const OBJECT_META: MessageFields = {
  1: ['name', TEXT],
  2: ['generateName', TEXT],
  3: ['namespace', TEXT],
  5: ['uid', TEXT],
  6: ['resourceVersion', TEXT],
  8: ['creationTimestamp', TIME],
  11: ['labels', MAP],
  12: ['annotations', MAP],
  13: ['ownerReferences', many(OWNER)],
  14: ['finalizers', TEXTS],
};

const LABEL_SELECTOR: MessageFields = {
  1: ['matchLabels', MAP],
  2: ['matchExpressions', many({ 1: ['key', TEXT], 2: ['operator', TEXT], 3: ['values', TEXTS] })],
};

const CONTAINER: MessageFields = {
  1: ['name', TEXT],
  2: ['image', TEXT],
  3: ['command', TEXTS],
  4: ['args', TEXTS],
  5: ['workingDir', TEXT],
  6: [
    'ports',
    many({
      1: ['name', TEXT],
      2: ['hostPort', INTEGER],
      3: ['containerPort', INTEGER],
      4: ['protocol', TEXT],
      5: ['hostIP', TEXT],
    }),
  ],
  7: ['env', many({ 1: ['name', TEXT], 2: ['value', TEXT] })],
  14: ['imagePullPolicy', TEXT],
  16: ['stdin', BOOL],
  17: ['stdinOnce', BOOL],
  18: ['tty', BOOL],
};

const POD_SPEC: MessageFields = {
  2: ['containers', many(CONTAINER)],
  3: ['restartPolicy', TEXT],
  4: ['terminationGracePeriodSeconds', COUNT],
  6: ['dnsPolicy', TEXT],
  7: ['nodeSelector', MAP],
  8: ['serviceAccountName', TEXT],
  10: ['nodeName', TEXT],
  11: ['hostNetwork', BOOL],
  16: ['hostname', TEXT],
  17: ['subdomain', TEXT],
  20: ['initContainers', many(CONTAINER)],
  23: ['hostAliases', many({ 1: ['ip', TEXT], 2: ['hostnames', TEXTS] })],
  26: [
    'dnsConfig',
    one({
      1: ['nameservers', TEXTS],
      2: ['searches', TEXTS],
      3: ['options', many({ 1: ['name', TEXT], 2: ['value', TEXT] })],
    }),
  ],
};

const TEMPLATE: MessageField = one({ 1: ['metadata', one(OBJECT_META)], 2: ['spec', one(POD_SPEC)] });

const JOB_SPEC: MessageFields = {
  1: ['parallelism', COUNT],
  2: ['completions', COUNT],
  3: ['activeDeadlineSeconds', COUNT],
  6: ['template', TEMPLATE],
  7: ['backoffLimit', COUNT],
  8: ['ttlSecondsAfterFinished', COUNT],
  9: ['completionMode', TEXT],
  10: ['suspend', FLAG],
};

const SERVICE_PORT: MessageFields = {
  1: ['name', TEXT],
  2: ['protocol', TEXT],
  3: ['port', INTEGER],
  4: ['targetPort', INT_OR_TEXT],
  5: ['nodePort', INTEGER],
  6: ['appProtocol', TEXT],
};

const SERVICE_SPEC: MessageFields = {
  1: ['ports', many(SERVICE_PORT)],
  2: ['selector', MAP],
  3: ['clusterIP', TEXT],
  4: ['type', TEXT],
  5: ['externalIPs', TEXTS],
  7: ['sessionAffinity', TEXT],
  10: ['externalName', TEXT],
  13: ['publishNotReadyAddresses', BOOL],
  17: ['ipFamilyPolicy', TEXT],
  18: ['clusterIPs', TEXTS],
  19: ['ipFamilies', TEXTS],
};

const DEPLOYMENT_SPEC: MessageFields = {
  1: ['replicas', COUNT],
  2: ['selector', one(LABEL_SELECTOR)],
  3: ['template', TEMPLATE],
  4: [
    'strategy',
    one({
      1: ['type', TEXT],
      2: ['rollingUpdate', one({ 1: ['maxUnavailable', INT_OR_TEXT], 2: ['maxSurge', INT_OR_TEXT] })],
    }),
  ],
  5: ['minReadySeconds', INTEGER],
  6: ['revisionHistoryLimit', COUNT],
  7: ['paused', BOOL],
  9: ['progressDeadlineSeconds', COUNT],
};

const ACCESS_REVIEW_SPEC: MessageFields = {
  1: [
    'resourceAttributes',
    one({
      1: ['namespace', TEXT],
      2: ['verb', TEXT],
      3: ['group', TEXT],
      4: ['version', TEXT],
      5: ['resource', TEXT],
      6: ['subresource', TEXT],
      7: ['name', TEXT],
    }),
  ],
  2: ['nonResourceAttributes', one({ 1: ['path', TEXT], 2: ['verb', TEXT] })],
};

/** The messages that are read, by apiVersion and kind. */
export const MESSAGES: ReadonlyMap<string, MessageFields> = new Map<string, MessageFields>([
  ['v1/Namespace', objectOf({})],
  ['v1/ServiceAccount', objectOf({})],
  [
    'v1/ConfigMap',
    { 1: ['metadata', one(OBJECT_META)], 2: ['data', MAP], 3: ['binaryData', MAP], 4: ['immutable', FLAG] },
  ],
  ['v1/Pod', objectOf(POD_SPEC)],
  ['v1/Service', objectOf(SERVICE_SPEC)],
  ['apps/v1/Deployment', objectOf(DEPLOYMENT_SPEC)],
  ['batch/v1/Job', objectOf(JOB_SPEC)],
  [
    'batch/v1/CronJob',
    objectOf({
      1: ['schedule', TEXT],
      2: ['startingDeadlineSeconds', COUNT],
      3: ['concurrencyPolicy', TEXT],
      4: ['suspend', FLAG],
      5: ['jobTemplate', one({ 1: ['metadata', one(OBJECT_META)], 2: ['spec', one(JOB_SPEC)] })],
      6: ['successfulJobsHistoryLimit', COUNT],
      7: ['failedJobsHistoryLimit', COUNT],
      8: ['timeZone', TEXT],
    }),
  ],
  ['autoscaling/v1/Scale', objectOf({ 1: ['replicas', COUNT] })],
  ['authorization.k8s.io/v1/SelfSubjectAccessReview', objectOf(ACCESS_REVIEW_SPEC)],
  ['authorization.k8s.io/v1/SelfSubjectRulesReview', objectOf({ 1: ['namespace', TEXT] })],
  ['authentication.k8s.io/v1/SelfSubjectReview', { 1: ['metadata', one(OBJECT_META)] }],
  [
    'v1/DeleteOptions',
    {
      1: ['gracePeriodSeconds', COUNT],
      2: ['preconditions', one({ 1: ['uid', TEXT], 2: ['resourceVersion', TEXT] })],
      3: ['orphanDependents', FLAG],
      4: ['propagationPolicy', TEXT],
      5: ['dryRun', TEXTS],
    },
  ],
]);

function objectOf(spec: MessageFields): MessageFields {
  return { 1: ['metadata', one(OBJECT_META)], 2: ['spec', one(spec)] };
}
