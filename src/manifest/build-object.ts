import type { Namespace } from '../model/cluster.ts';
import type { Pod } from '../model/pod.ts';
import type { NetworkPolicy } from '../model/policy.ts';
import type { Service } from '../model/service.ts';
import { buildPod, givenAddresses, nodeAddresses } from './build-pod.ts';
import { buildPolicy } from './build-policy.ts';
import { buildService, givenClusterIps } from './build-service.ts';
import { namespaceOf } from './build-cluster.ts';
import type { Issue } from './issue.ts';
import type { ManifestObject } from './manifest-object.ts';
import { podPlans } from './pod-plan.ts';
import { readObject } from './validate.ts';

/** One object of a cluster, or what is wrong with it. */
export type BuiltObject =
  | { readonly kind: 'namespace'; readonly namespace: Namespace }
  | { readonly kind: 'pod'; readonly pod: Pod }
  | { readonly kind: 'service'; readonly service: Service }
  | { readonly kind: 'policy'; readonly policy: NetworkPolicy }
  | { readonly kind: 'refused'; readonly issues: readonly Issue[] };

/**
 * Validates an object that a cluster holds and makes the model's of it, with the addresses that it has there.
 * Throws TypeError for a kind that decides no verdict, such as a workload.
 */
export function buildObject(object: ManifestObject): BuiltObject {
  const reading = readObject(object);
  if (reading.kind === 'refused') return reading;
  const understood = reading.object;
  switch (understood.kind) {
    case 'Namespace':
      return { kind: 'namespace', namespace: namespaceOf(object.name, understood.value.metadata?.labels) };
    case 'Service':
      return { kind: 'service', service: buildService(object, understood.value, givenClusterIps(understood.value)) };
    case 'NetworkPolicy':
      return { kind: 'policy', policy: buildPolicy(object, understood.value) };
    case 'Pod': {
      const [plan] = podPlans(object, understood);
      if (!plan) throw new TypeError('a Pod is one pod');
      const addresses = plan.spec.hostNetwork === true ? nodeAddresses(plan) : givenAddresses(plan);
      return { kind: 'pod', pod: buildPod(plan, addresses) };
    }
    default:
      throw new TypeError(`a ${understood.kind} decides no verdict`);
  }
}
