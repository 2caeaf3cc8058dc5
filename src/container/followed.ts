import type { KubeObject, KubeResource } from '../kube/list-watch.ts';
import { buildObject, type BuiltObject } from '../manifest/build-object.ts';
import type { JsonObject } from '../manifest/json.ts';
import { podKey } from '../model/pod.ts';

/** What the containers' processes follow. The names are those of its reports. */
export const FOLLOWED = {
  namespaces: { path: '/api/v1/namespaces', apiVersion: 'v1', kind: 'Namespace' },
  pods: { path: '/api/v1/pods', apiVersion: 'v1', kind: 'Pod' },
  services: { path: '/api/v1/services', apiVersion: 'v1', kind: 'Service' },
  endpointslices: {
    path: '/apis/discovery.k8s.io/v1/endpointslices',
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
  },
  networkpolicies: {
    path: '/apis/networking.k8s.io/v1/networkpolicies',
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
  },
} as const satisfies Readonly<Record<string, KubeResource>>;

/** The name of a resource that proxies follow. */
export type FollowedName = keyof typeof FOLLOWED;

/** All names. */
export const FOLLOWED_NAMES = Object.keys(FOLLOWED) as FollowedName[];

/** Where verdicts say that a policy comes from. */
export const SOURCE = { file: 'cluster', line: 0 };

/** What the cluster's model makes of an object, or what is wrong with it. */
export function buildKubeObject(object: KubeObject): BuiltObject {
  const { apiVersion, kind, metadata } = object;
  return buildObject({
    apiVersion,
    kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    value: object as unknown as JsonObject, // it has been parsed from JSON
    source: SOURCE,
    lineOf: () => SOURCE.line,
  });
}

/** NAMESPACE/NAME; `/NAME` of an object without a namespace. */
export function keyOf({ metadata: { namespace = '', name } }: KubeObject): string {
  return podKey({ namespace, name });
}
