import type { JsonObject } from '../manifest/json.ts';
import { at, listAt, nameOf, numberAt, objectAt, textAt } from './api-object.ts';
import { admitPodSpec, defaultPodSpec, defaultTemplate, eachOf, over } from './pod-defaults.ts';
import type { Resource } from './registry.ts';

/** The object with what the API server fills in where the writer is silent. Doing it twice changes nothing. */
export function withDefaults({ kind }: Resource, object: JsonObject): JsonObject {
  const defaulting = DEFAULTS.get(kind);
  return defaulting ? defaulting(object) : object;
}

type Defaulting = (object: JsonObject) => JsonObject;

const DEFAULTS: ReadonlyMap<string, Defaulting> = new Map<string, Defaulting>([
  ['Namespace', defaultNamespace],
  ['Pod', ofSpec((spec) => admitPodSpec(defaultPodSpec(spec)))],
  ['Service', ofSpec(defaultService)],
  ['NetworkPolicy', ofSpec(defaultPolicy)],
  ['EndpointSlice', (object) => eachOf(object, 'ports', (port) => over({ name: '', protocol: 'TCP' }, port))],
  ['Endpoints', (object) => eachOf(object, 'subsets', (subset) => eachOf(subset, 'ports', withProtocol))],
  ['ReplicationController', defaultController],
  ['ReplicaSet', workload({ replicas: 1 })],
  [
    'Deployment',
    workload({
      replicas: 1,
      strategy: { type: 'RollingUpdate' },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    }),
  ],
  [
    'StatefulSet',
    workload({
      replicas: 1,
      serviceName: '',
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      revisionHistoryLimit: 10,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    }),
  ],
  [
    'DaemonSet',
    workload({
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      revisionHistoryLimit: 10,
    }),
  ],
  ['Job', ofSpec(defaultJob)],
  ['CronJob', ofSpec(defaultCronJob)],
]);

function ofSpec(change: Defaulting): Defaulting {
  return (object) => ({ ...object, spec: change(objectAt(object, 'spec')) });
}

function withProtocol(port: JsonObject): JsonObject {
  return over({ protocol: 'TCP' }, port);
}

/** Source: every namespace carries its name as a label, NamespaceDefaultLabelName. */
function defaultNamespace(object: JsonObject): JsonObject {
  const metadata = objectAt(object, 'metadata');
  const name = nameOf(object);
  const labels = { ...objectAt(metadata, 'labels'), ...(name === '' ? {} : { 'kubernetes.io/metadata.name': name }) };
  const spec = { finalizers: ['kubernetes'], ...objectAt(object, 'spec') };
  return { ...object, metadata: { ...metadata, labels }, spec };
}

/** Source: pkg/apis/networking/v1/defaults.go. A selector that is not there selects everything. */
function defaultPolicy(spec: JsonObject): JsonObject {
  const types = ['Ingress', ...(listAt(spec, 'egress').length > 0 ? ['Egress'] : [])];
  const filled = {
    podSelector: {},
    ...spec,
    policyTypes: listAt(spec, 'policyTypes').length > 0 ? listAt(spec, 'policyTypes') : types,
  };
  const rule = (one: JsonObject): JsonObject => eachOf(one, 'ports', withProtocol);
  return eachOf(eachOf(filled, 'ingress', rule), 'egress', rule);
}

/** Source: SetDefaults_Service. The cluster addresses are the allocator's business. */
function defaultService(spec: JsonObject): JsonObject {
  const type = textAt(spec, 'type') || 'ClusterIP';
  const outside = type === 'NodePort' || type === 'LoadBalancer';
  const filled = over(
    {
      sessionAffinity: 'None',
      ...(type === 'ExternalName' ? {} : { internalTrafficPolicy: 'Cluster' }),
      ...(outside ? { externalTrafficPolicy: 'Cluster' } : {}),
      ...(type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {}),
    },
    { ...spec, type },
  );
  return eachOf(filled, 'ports', (port) => {
    const target = at(port, 'targetPort');
    const targetPort = target === undefined || target === 0 || target === '' ? numberAt(port, 'port') : target;
    return { ...withProtocol(port), targetPort };
  });
}

function workload(defaults: JsonObject): Defaulting {
  return ofSpec((spec) => defaultStrategy(defaultTemplate(over(defaults, spec))));
}

function defaultStrategy(spec: JsonObject): JsonObject {
  if (textAt(spec, 'strategy', 'type') !== 'RollingUpdate') return spec;
  const rollingUpdate = over({ maxSurge: '25%', maxUnavailable: '25%' }, objectAt(spec, 'strategy', 'rollingUpdate'));
  return { ...spec, strategy: { ...objectAt(spec, 'strategy'), rollingUpdate } };
}

function defaultController(object: JsonObject): JsonObject {
  const spec = defaultTemplate(over({ replicas: 1 }, objectAt(object, 'spec')));
  return { ...object, spec: over({ selector: objectAt(spec, 'template', 'metadata', 'labels') }, spec) };
}

function defaultJob(spec: JsonObject): JsonObject {
  const single = at(spec, 'completions') === undefined && at(spec, 'parallelism') === undefined;
  return defaultTemplate(
    over(
      {
        ...(single ? { completions: 1 } : {}),
        parallelism: 1,
        backoffLimit: 6,
        completionMode: 'NonIndexed',
        suspend: false,
        podReplacementPolicy: 'TerminatingOrFailed',
      },
      spec,
    ),
  );
}

function defaultCronJob(spec: JsonObject): JsonObject {
  const jobTemplate = objectAt(spec, 'jobTemplate');
  return over(
    { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 },
    { ...spec, jobTemplate: { ...jobTemplate, spec: defaultTemplate(objectAt(jobTemplate, 'spec')) } },
  );
}
