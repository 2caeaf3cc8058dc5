import type { Cluster } from '../../model/cluster.ts';
import type { Pod, PodPhase } from '../../model/pod.ts';
import type { IpAddress } from '../../net/ip.ts';

/** What is to be put in force. */
export interface ClusterUpdate {
  /** The cluster after the change. What did not change is the same object as before. */
  readonly cluster: Cluster;
  /** The same with the policies that are staged: for what flows tell, not to be enforced. Undefined if none is. */
  readonly staged: Cluster | undefined;
  /** Keys of pods that end: deleted, or made anew under the same name. */
  readonly ended: readonly string[];
  /** Keys of pods whose containers have ended for good. */
  readonly finished: readonly string[];
  /** Pods that are to run from now on. */
  readonly begun: readonly Pod[];
  /** Whether verdicts may be others than before, or the names that explain them. */
  readonly judged: boolean;
  /** Whether Services or names may lead elsewhere than before. */
  readonly served: boolean;
  readonly isReady: (pod: Pod) => boolean;
}

/** What a backend says of a pod. `reason` is Kubernetes' word for why it is not ready, `message` says it; both may be empty. */
export interface PodReport {
  readonly phase: PodPhase;
  readonly ready: boolean;
  readonly restarts: number;
  readonly reason: string;
  readonly message: string;
  /** Numbers of its containers that are ready and of all. */
  readonly containers: { readonly ready: number; readonly total: number };
  /** Of the containers that have ended for good, by their names. */
  readonly exitCodes: ReadonlyMap<string, number>;
  readonly startedAt: Date;
  /** Those that the pod has, of a backend that does not get them from the control plane. */
  readonly addresses?: readonly IpAddress[];
}

/**
 * What runs a lab's pods and enforces its policies. The control plane calls it for one change at a time, before the
 * change is stored and answered. A backend whose pods report their status over the API implements enforce() alone.
 */
export interface Backend {
  /**
   * Puts an update in force: pods that end or have finished are cut off first, then no attempt that begins after this
   * has returned passes unless the new policies allow it, then new pods start.
   */
  enforce(update: ClusterUpdate): Promise<void>;
  /** What is known of the pod now. @returns undefined if nothing is: what the store says stays. */
  reportOf(podKey: string): PodReport | undefined;
}

/** The node that a lab's pods are on. */
export interface NodeFacts {
  readonly name: string;
  readonly addresses: readonly IpAddress[];
}
