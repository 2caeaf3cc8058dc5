import type { JsonObject } from '../../manifest/json.ts';

const TYPES: ReadonlyMap<string, JsonObject> = new Map([
  ...named({ type: 'integer', format: 'int32' }, [
    ...['minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds', 'backoffLimit', 'backoffLimitPerIndex'],
    ...['maxFailedIndexes', 'ttlSecondsAfterFinished', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'],
    ...['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold', 'priority'],
    ...['hostPort', 'nodePort', 'healthCheckNodePort'],
  ]),
  ...named({ type: 'integer', format: 'int64' }, [
    ...['generation', 'deletionGracePeriodSeconds', 'terminationGracePeriodSeconds', 'activeDeadlineSeconds'],
    ...['startingDeadlineSeconds', 'observedGeneration'],
  ]),
  ...named({ type: 'boolean' }, [
    ...['paused', 'hostPID', 'hostIPC', 'shareProcessNamespace', 'automountServiceAccountToken', 'manualSelector'],
    ...['enableServiceLinks', 'setHostnameAsFQDN', 'hostUsers'],
    ...['allocateLoadBalancerNodePorts'],
  ]),
  ...named({ type: 'string' }, [
    ...['selfLink', 'uid', 'resourceVersion', 'serviceAccountName', 'serviceAccount', 'nodeName'],
    ...['schedulerName', 'priorityClassName', 'runtimeClassName', 'preemptionPolicy', 'hostIP', 'host'],
    ...['terminationMessagePath', 'terminationMessagePolicy', 'imagePullPolicy', 'scheme', 'appProtocol', 'timeZone'],
    ...['podManagementPolicy', 'concurrencyPolicy', 'podReplacementPolicy', 'managedBy', 'sessionAffinity'],
    ...['loadBalancerIP', 'loadBalancerClass', 'externalTrafficPolicy', 'internalTrafficPolicy', 'hostname', 'zone'],
    ...['trafficDistribution', 'message', 'reason', 'nominatedNodeName', 'qosClass', 'hostnameOverride', 'resize'],
  ]),
  ...named({ type: 'string', format: 'date-time' }, [
    ...['creationTimestamp', 'deletionTimestamp', 'startTime', 'firstTimestamp', 'lastTimestamp', 'eventTime'],
  ]),
  ...named({ type: 'array', items: { type: 'string' } }, ['finalizers', 'externalIPs', 'loadBalancerSourceRanges']),
  ...named({ type: 'array', items: { type: 'object' } }, [
    ...['ownerReferences', 'managedFields', 'volumes', 'ephemeralContainers', 'imagePullSecrets', 'tolerations'],
    ...['readinessGates', 'topologySpreadConstraints', 'schedulingGates', 'resourceClaims', 'envFrom'],
    ...['resizePolicy', 'volumeMounts', 'volumeDevices', 'volumeClaimTemplates', 'httpHeaders', 'conditions'],
    ...['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses', 'secrets', 'restartPolicyRules'],
  ]),
  ...named({ type: 'object', additionalProperties: { type: 'string' } }, ['nodeSelector', 'deprecatedTopology']),
]);

/** The type of a field that the schemas know by name alone; an open object if nothing else is known. */
export function unreadType(field: string): JsonObject {
  return TYPES.get(field) ?? { type: 'object' };
}

function named(type: JsonObject, names: readonly string[]): [string, JsonObject][] {
  return names.map((name) => [name, type]);
}
