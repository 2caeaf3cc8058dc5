import { TOP } from './metadata-schema.ts';
import {
  ANY,
  BOOL,
  INT32,
  INT_OR_TEXT,
  listOf,
  struct,
  TEXT,
  TEXT_MAP,
  textOfType,
  unread,
  type Decoded,
} from './schema.ts';

/** Source: core/v1 Service. */
export const SERVICE = struct('Service', {
  ...TOP,
  spec: struct('ServiceSpec', {
    type: textOfType('v1.ServiceType'),
    selector: TEXT_MAP,
    clusterIP: TEXT,
    clusterIPs: listOf(TEXT),
    ipFamilies: listOf(textOfType('v1.IPFamily')),
    ipFamilyPolicy: textOfType('v1.IPFamilyPolicy'),
    externalName: TEXT,
    publishNotReadyAddresses: BOOL,
    ports: listOf(
      struct('ServicePort', {
        name: TEXT,
        protocol: textOfType('v1.Protocol'),
        port: INT32,
        targetPort: INT_OR_TEXT,
        ...unread('appProtocol', 'nodePort'),
      }),
    ),
    ...unread(
      'externalIPs',
      'sessionAffinity',
      'sessionAffinityConfig',
      'loadBalancerIP',
      'loadBalancerSourceRanges',
      'loadBalancerClass',
      'allocateLoadBalancerNodePorts',
      'externalTrafficPolicy',
      'internalTrafficPolicy',
      'healthCheckNodePort',
      'trafficDistribution',
    ),
  }),
  status: ANY,
});

/** A Service as it is written. */
export type ServiceManifest = Decoded<typeof SERVICE>;
/** What a Service is to be. */
export type ServiceSpec = NonNullable<ServiceManifest['spec']>;
