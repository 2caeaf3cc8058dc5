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
  ['StagedNetworkPolicy', ofSpec(defaultPolicy)],
  ['EndpointSlice', (object) => eachOf(object, 'ports', (port) => over({ name: '', protocol: 'TCP' }, port))],
  ['Endpoints', (object) => eachOf(object, 'subsets', (subset) => eachOf(subset, 'ports', withProtocol))],
  ['ReplicationController', defaultController],
  ['ReplicaSet', workload({ replicas: 1 })],
  [
    'Deployment',
    workload(
      { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 },
      { field: 'strategy', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    ),
  ],
  [
    'StatefulSet',
    workload(
      {
        replicas: 1,
        serviceName: '',
        podManagementPolicy: 'OrderedReady',
        revisionHistoryLimit: 10,
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      },
      { field: 'updateStrategy', rollingUpdate: { partition: 0 } },
    ),
  ],
  [
    'DaemonSet',
    workload(
      { revisionHistoryLimit: 10 },
      { field: 'updateStrategy', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    ),
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
  // An empty protocol is no absent one here: it is refused.
  const rule = (one: JsonObject): JsonObject => eachOf(one, 'ports', (port) => ({ protocol: 'TCP', ...port }));
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

/** How a workload changes its pods: the field that says it, and the defaults of rolling updates. */
interface Strategy {
  readonly field: string;
  readonly rollingUpdate: JsonObject;
}

function workload(defaults: JsonObject, strategy?: Strategy): Defaulting {
  return ofSpec((spec) => {
    const filled = defaultTemplate(over(defaults, spec));
    return strategy
      ? { ...filled, [strategy.field]: defaultStrategy(objectAt(spec, strategy.field), strategy) }
      : filled;
  });
}

function defaultStrategy(given: JsonObject, { rollingUpdate }: Strategy): JsonObject {
  const filled = over({ type: 'RollingUpdate' }, given);
  if (filled.type !== 'RollingUpdate') return filled;
  return { ...filled, rollingUpdate: over(rollingUpdate, objectAt(filled, 'rollingUpdate')) };
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
