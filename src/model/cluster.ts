import type { NetworkPolicy } from './policy.ts';
import type { Pod } from './pod.ts';
import type { Labels } from './selector.ts';
import type { Service } from './service.ts';

/** A namespace. It always carries `kubernetes.io/metadata.name`. */
export interface Namespace {
  readonly name: string;
  readonly labels: Labels;
}

/** Everything that decides verdicts, at one moment. Immutable; a change makes a new one. Every namespace in use is listed. */
export interface Cluster {
  readonly namespaces: ReadonlyMap<string, Namespace>;
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  readonly policies: readonly NetworkPolicy[];
  /** What is to be said with each verdict; absent where policies are enforced as specified. */
  readonly caveat?: string;
}
