import { declaredPorts, type Pod } from '../model/pod.ts';
import type { Labels } from '../model/selector.ts';
import type { Protocol } from '../net/port.ts';
import { getOrMake } from './get-or-make.ts';
import type { Identity, PortNames } from './table-state.ts';

/** The key of a named port in PortNames. Neither part can hold a slash. */
export function portName(protocol: Protocol, name: string): string {
  return `${protocol}/${name}`;
}

/** The identities in use. */
export class Identities {
  readonly #known = new Map<string, Identity>();
  readonly #portNames = new Map<string, PortNames>();
  // Pods of one workload share their labels and containers.
  readonly #labelKeys = new WeakMap<Labels, string>();
  readonly #namesOfContainers = new WeakMap<Pod['containers'], PortNames>();

  get count(): number {
    return this.#known.size;
  }

  /** The identity of a pod, with a pod more. @param onMake called with one that was not there. */
  acquire(pod: Pod, isSubject: boolean, onMake: (identity: Identity) => void): Identity {
    const portNames = getOrMake(this.#namesOfContainers, pod.containers, () => this.#namesOf(pod));
    const labels = getOrMake(this.#labelKeys, pod.labels, () => keyOf(pod.labels));
    const key = `${pod.namespace} ${portNames.id} ${String(isSubject)} ${labels}`;
    let identity = this.#known.get(key);
    if (!identity) {
      identity = {
        key,
        namespace: pod.namespace,
        labels: pod.labels,
        portNames,
        isSubject,
        pods: 0,
        selections: new Set(),
        columns: new Set(),
        records: new Set(),
        rows: { egress: undefined, ingress: undefined },
      };
      this.#known.set(key, identity);
      onMake(identity);
    }
    identity.pods += 1;
    return identity;
  }

  /** A pod less. @returns whether it was the last one. */
  release(identity: Identity): boolean {
    identity.pods -= 1;
    return identity.pods === 0 && this.#known.delete(identity.key);
  }

  #namesOf(pod: Pod): PortNames {
    const ports = new Map<string, number>();
    for (const { name, protocol, port } of declaredPorts(pod)) {
      if (name !== '') getOrMake<string, number>(ports, portName(protocol, name), () => port);
    }
    const key = [...ports].map(([name, port]) => `${name}=${port}`).sort();
    return getOrMake(this.#portNames, key.join(), () => ({ id: this.#portNames.size, ports }));
  }
}

/** Equal for labels that are the same, in whatever order. */
function keyOf(labels: Labels): string {
  return JSON.stringify([...labels].sort(([one], [other]) => (one < other ? -1 : 1)));
}
