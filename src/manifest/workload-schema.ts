import { COUNT, LABEL_SELECTOR, OBJECT_META, TOP } from './metadata-schema.ts';
import { POD_TEMPLATE } from './pod-schema.ts';
import { ANY, BOOL, struct, TEXT, TEXT_MAP, textOfType, unread, type Decoded } from './schema.ts';

/** Source: apps/v1 Deployment. */
export const DEPLOYMENT = struct('Deployment', {
  ...TOP,
  spec: struct('DeploymentSpec', {
    replicas: COUNT,
    selector: LABEL_SELECTOR,
    template: POD_TEMPLATE,
    ...unread('strategy', 'minReadySeconds', 'revisionHistoryLimit', 'paused', 'progressDeadlineSeconds'),
  }),
  status: ANY,
});

/** Source: apps/v1 ReplicaSet. */
export const REPLICA_SET = struct('ReplicaSet', {
  ...TOP,
  spec: struct('ReplicaSetSpec', {
    replicas: COUNT,
    selector: LABEL_SELECTOR,
    template: POD_TEMPLATE,
    ...unread('minReadySeconds'),
  }),
  status: ANY,
});

/** Source: apps/v1 StatefulSet. */
export const STATEFUL_SET = struct('StatefulSet', {
  ...TOP,
  spec: struct('StatefulSetSpec', {
    replicas: COUNT,
    selector: LABEL_SELECTOR,
    template: POD_TEMPLATE,
    serviceName: TEXT,
    ordinals: struct('StatefulSetOrdinals', { start: COUNT }),
    ...unread(
      'volumeClaimTemplates',
      'podManagementPolicy',
      'updateStrategy',
      'revisionHistoryLimit',
      'minReadySeconds',
      'persistentVolumeClaimRetentionPolicy',
    ),
  }),
  status: ANY,
});

/** Source: apps/v1 DaemonSet. */
export const DAEMON_SET = struct('DaemonSet', {
  ...TOP,
  spec: struct('DaemonSetSpec', {
    selector: LABEL_SELECTOR,
    template: POD_TEMPLATE,
    ...unread('updateStrategy', 'minReadySeconds', 'revisionHistoryLimit'),
  }),
  status: ANY,
});

/** Source: core/v1 ReplicationController. */
export const REPLICATION_CONTROLLER = struct('ReplicationController', {
  ...TOP,
  spec: struct('ReplicationControllerSpec', {
    replicas: COUNT,
    selector: TEXT_MAP,
    template: POD_TEMPLATE,
    ...unread('minReadySeconds'),
  }),
  status: ANY,
});

const JOB_SPEC = struct('JobSpec', {
  parallelism: COUNT,
  completions: COUNT,
  completionMode: textOfType('v1.CompletionMode'),
  suspend: BOOL,
  template: POD_TEMPLATE,
  ...unread(
    'activeDeadlineSeconds',
    'podFailurePolicy',
    'successPolicy',
    'backoffLimit',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
    'selector',
    'manualSelector',
    'ttlSecondsAfterFinished',
    'podReplacementPolicy',
    'managedBy',
  ),
});

/** Source: batch/v1 Job. */
export const JOB = struct('Job', { ...TOP, spec: JOB_SPEC, status: ANY });

/** Source: batch/v1 CronJob. */
export const CRON_JOB = struct('CronJob', {
  ...TOP,
  spec: struct('CronJobSpec', {
    schedule: TEXT,
    suspend: BOOL,
    jobTemplate: struct('JobTemplateSpec', { metadata: OBJECT_META, spec: JOB_SPEC }),
    ...unread(
      'timeZone',
      'startingDeadlineSeconds',
      'concurrencyPolicy',
      'successfulJobsHistoryLimit',
      'failedJobsHistoryLimit',
    ),
  }),
  status: ANY,
});

/** What a Job runs. */
export type JobSpec = Decoded<typeof JOB_SPEC>;
/** What a CronJob makes Jobs of, and when. */
export type CronJobSpec = NonNullable<Decoded<typeof CRON_JOB>['spec']>;
