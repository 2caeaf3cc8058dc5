import { OBJECT_META, TOP } from './metadata-schema.ts';
import { BOOL, INT32, INT_OR_TEXT, listOf, struct, TEXT, textOfType, unread, type Decoded } from './schema.ts';

const ENV_VAR = struct('EnvVar', {
  name: TEXT,
  value: TEXT,
  valueFrom: struct('EnvVarSource', {
    fieldRef: struct('ObjectFieldSelector', { apiVersion: TEXT, fieldPath: TEXT }),
    ...unread('resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'),
  }),
});

const PROBE = struct('Probe', {
  exec: struct('ExecAction', { command: listOf(TEXT) }),
  httpGet: struct('HTTPGetAction', { path: TEXT, port: INT_OR_TEXT, ...unread('host', 'scheme', 'httpHeaders') }),
  tcpSocket: struct('TCPSocketAction', { port: INT_OR_TEXT, ...unread('host') }),
  ...unread(
    'grpc',
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
    'terminationGracePeriodSeconds',
  ),
});

const CONTAINER = struct('Container', {
  name: TEXT,
  image: TEXT,
  command: listOf(TEXT),
  args: listOf(TEXT),
  workingDir: TEXT,
  env: listOf(ENV_VAR),
  ports: listOf(
    struct('ContainerPort', {
      name: TEXT,
      containerPort: INT32,
      protocol: textOfType('v1.Protocol'),
      ...unread('hostPort', 'hostIP'),
    }),
  ),
  stdin: BOOL,
  stdinOnce: BOOL,
  tty: BOOL,
  readinessProbe: PROBE,
  restartPolicy: textOfType('v1.ContainerRestartPolicy'),
  ...unread(
    'envFrom',
    'resources',
    'resizePolicy',
    'restartPolicyRules',
    'volumeMounts',
    'volumeDevices',
    'livenessProbe',
    'startupProbe',
    'lifecycle',
    'terminationMessagePath',
    'terminationMessagePolicy',
    'imagePullPolicy',
    'securityContext',
  ),
});

/** Source: core/v1 PodSpec; the fields of releases up to 1.35. */
export const POD_SPEC = struct('PodSpec', {
  containers: listOf(CONTAINER),
  initContainers: listOf(CONTAINER),
  hostNetwork: BOOL,
  hostname: TEXT,
  subdomain: TEXT,
  hostAliases: listOf(struct('HostAlias', { ip: TEXT, hostnames: listOf(TEXT) })),
  dnsPolicy: textOfType('v1.DNSPolicy'),
  dnsConfig: struct('PodDNSConfig', {
    nameservers: listOf(TEXT),
    searches: listOf(TEXT),
    options: listOf(struct('PodDNSConfigOption', { name: TEXT, value: TEXT })),
  }),
  restartPolicy: textOfType('v1.RestartPolicy'),
  ...unread(
    'volumes',
    'ephemeralContainers',
    'terminationGracePeriodSeconds',
    'activeDeadlineSeconds',
    'nodeSelector',
    'serviceAccountName',
    'serviceAccount',
    'automountServiceAccountToken',
    'nodeName',
    'hostPID',
    'hostIPC',
    'shareProcessNamespace',
    'securityContext',
    'imagePullSecrets',
    'affinity',
    'schedulerName',
    'tolerations',
    'priorityClassName',
    'priority',
    'readinessGates',
    'runtimeClassName',
    'enableServiceLinks',
    'preemptionPolicy',
    'overhead',
    'topologySpreadConstraints',
    'setHostnameAsFQDN',
    'os',
    'hostUsers',
    'schedulingGates',
    'resourceClaims',
    'resources',
    'hostnameOverride',
    'workloadRef',
    'schedulingGroup',
  ),
});

/** Source: core/v1 PodTemplateSpec. */
export const POD_TEMPLATE = struct('PodTemplateSpec', { metadata: OBJECT_META, spec: POD_SPEC });

/** Source: core/v1 Pod. The status is one that a cluster wrote: what is not read in it is not checked. */
export const POD = struct('Pod', {
  ...TOP,
  spec: POD_SPEC,
  status: struct('PodStatus', {
    phase: textOfType('v1.PodPhase'),
    podIP: TEXT,
    podIPs: listOf(struct('PodIP', { ip: TEXT })),
    hostIP: TEXT,
    hostIPs: listOf(struct('HostIP', { ip: TEXT })),
    ...unread(
      'observedGeneration',
      'conditions',
      'message',
      'reason',
      'nominatedNodeName',
      'startTime',
      'initContainerStatuses',
      'containerStatuses',
      'ephemeralContainerStatuses',
      'qosClass',
      'resize',
      'resources',
      'allocatedResources',
      'resourceClaimStatuses',
      'extendedResourceClaimStatus',
      'nodeAllocatableResourceClaimStatuses',
    ),
  }),
});

/** A pod as it is written. */
export type PodManifest = Decoded<typeof POD>;
/** What a workload makes pods of. */
export type PodTemplate = Decoded<typeof POD_TEMPLATE>;
/** What runs in a pod. */
export type PodSpec = Decoded<typeof POD_SPEC>;
/** A container as it is written. */
export type ContainerManifest = Decoded<typeof CONTAINER>;
/** A readiness probe as it is written. */
export type ProbeManifest = Decoded<typeof PROBE>;
