import { TOP } from '../manifest/metadata-schema.ts';
import { ANY, BOOL, INT32, listOf, struct, TEXT, TEXT_MAP, textOfType, unread } from '../manifest/schema.ts';

/** Source: core/v1 ConfigMap. */
export const CONFIG_MAP = struct('ConfigMap', { ...TOP, data: TEXT_MAP, binaryData: TEXT_MAP, immutable: BOOL });

/** Source: core/v1 ServiceAccount. */
export const SERVICE_ACCOUNT = struct('ServiceAccount', {
  ...TOP,
  ...unread('secrets', 'imagePullSecrets', 'automountServiceAccountToken'),
});

/** Source: core/v1 Node. */
export const NODE = struct('Node', { ...TOP, spec: ANY, status: ANY });

/** Source: core/v1 Event. */
export const EVENT = struct('Event', {
  ...TOP,
  reason: TEXT,
  message: TEXT,
  type: TEXT,
  count: INT32,
  action: TEXT,
  reportingComponent: TEXT,
  reportingInstance: TEXT,
  ...unread('involvedObject', 'source', 'firstTimestamp', 'lastTimestamp', 'eventTime', 'series', 'related'),
});

const ENDPOINT_PORT = struct('EndpointPort', {
  name: TEXT,
  port: INT32,
  protocol: textOfType('v1.Protocol'),
  appProtocol: TEXT,
});

const ENDPOINT_ADDRESS = struct('EndpointAddress', { ip: TEXT, ...unread('hostname', 'nodeName', 'targetRef') });

/** Source: core/v1 Endpoints. */
export const ENDPOINTS = struct('Endpoints', {
  ...TOP,
  subsets: listOf(
    struct('EndpointSubset', {
      addresses: listOf(ENDPOINT_ADDRESS),
      notReadyAddresses: listOf(ENDPOINT_ADDRESS),
      ports: listOf(ENDPOINT_PORT),
    }),
  ),
});

/** Source: discovery/v1 EndpointSlice. */
export const ENDPOINT_SLICE = struct('EndpointSlice', {
  ...TOP,
  addressType: textOfType('v1.AddressType'),
  endpoints: listOf(
    struct('Endpoint', {
      addresses: listOf(TEXT),
      ...unread('conditions', 'hostname', 'targetRef', 'deprecatedTopology', 'nodeName', 'zone', 'hints'),
    }),
  ),
  ports: listOf(ENDPOINT_PORT),
});
