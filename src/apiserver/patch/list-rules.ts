/**
 * How patches treat a field. What has no rule: structs and maps are merged field by field, lists replaced whole.
 * `list`: items are told apart by a key; `applyKeys` are those of server-side apply. `set`: a list without repetition.
 * `atomic`: a struct that server-side apply replaces whole.
 */
export type FieldRule =
  | { readonly kind: 'struct'; readonly fields: FieldRules }
  | { readonly kind: 'list'; readonly key: string; readonly applyKeys: readonly string[]; readonly fields: FieldRules }
  | { readonly kind: 'set' }
  | { readonly kind: 'atomic' };

/** Rules by field. */
// eslint-disable-next-line @typescript-eslint/consistent-indexed-object-style -- a Record cannot hold itself
export interface FieldRules {
  readonly [field: string]: FieldRule;
}

/** The rules of a kind. Source: the patchMergeKey and listType tags of k8s.io/api. */
export function rulesOf(kind: string): FieldRules {
  return { metadata: METADATA, ...BY_KIND.get(kind) };
}

/** The rules of a field's own fields. */
export function rulesBelow(rule: FieldRule | undefined): FieldRules {
  return rule?.kind === 'struct' || rule?.kind === 'list' ? rule.fields : {};
}

const SET: FieldRule = { kind: 'set' };
const ATOMIC: FieldRule = { kind: 'atomic' };

const METADATA = struct({ ownerReferences: list('uid'), finalizers: SET });

const CONTAINER: FieldRules = {
  ports: list('containerPort', {}, ['containerPort', 'protocol']),
  env: list('name', { valueFrom: struct({ fieldRef: ATOMIC, configMapKeyRef: ATOMIC, secretKeyRef: ATOMIC }) }),
  volumeMounts: list('mountPath'),
  volumeDevices: list('devicePath'),
};

const POD_SPEC = struct({
  containers: list('name', CONTAINER),
  initContainers: list('name', CONTAINER),
  ephemeralContainers: list('name', CONTAINER),
  volumes: list('name'),
  imagePullSecrets: list('name'),
  hostAliases: list('ip'),
  topologySpreadConstraints: list('topologyKey', {}, ['topologyKey', 'whenUnsatisfiable']),
  nodeSelector: ATOMIC,
});

const TEMPLATE = struct({ metadata: METADATA, spec: POD_SPEC });
const CONDITIONS = struct({ conditions: list('type') });
const WORKLOAD: FieldRules = { spec: struct({ selector: ATOMIC, template: TEMPLATE }), status: CONDITIONS };

const BY_KIND: ReadonlyMap<string, FieldRules> = new Map<string, FieldRules>([
  ['Pod', { spec: POD_SPEC, status: CONDITIONS }],
  ...['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'ReplicationController', 'Job'].map(
    (kind): [string, FieldRules] => [kind, WORKLOAD],
  ),
  ['CronJob', { spec: struct({ jobTemplate: struct({ metadata: METADATA, spec: struct({ template: TEMPLATE }) }) }) }],
  [
    'Service',
    { spec: struct({ ports: list('port', {}, ['port', 'protocol']), selector: ATOMIC }), status: CONDITIONS },
  ],
  ['NetworkPolicy', { spec: struct({ podSelector: ATOMIC }) }],
  ['StagedNetworkPolicy', { spec: struct({ podSelector: ATOMIC }) }],
  ['Namespace', { status: CONDITIONS }],
  ['Node', { spec: struct({ podCIDRs: SET }), status: struct({ conditions: list('type'), addresses: list('type') }) }],
  ['ServiceAccount', { secrets: list('name') }],
]);

function struct(fields: FieldRules): FieldRule {
  return { kind: 'struct', fields };
}

function list(key: string, fields: FieldRules = {}, applyKeys: readonly string[] = [key]): FieldRule {
  return { kind: 'list', key, applyKeys, fields };
}
