import type { PairChange } from '../diff/compare.ts';
import type { End } from '../diff/ends.ts';
import type { PortRange } from '../diff/port-cuts.ts';

/** How many connections a change denies or allows: pairs of pods and addresses, times ports. */
export interface Reach {
  readonly denied: number;
  readonly allowed: number;
}

/** Counts what changes. External addresses count one by one: no number of pods outweighs the internet. */
export function reachOf(changes: readonly PairChange[]): Reach {
  let denied = 0;
  let allowed = 0;
  for (const change of changes) {
    const pairs = sizeOf(change.from) * sizeOf(change.to);
    denied += pairs * portCount(change.denied);
    allowed += pairs * portCount(change.allowed);
  }
  return { denied, allowed };
}

function sizeOf(end: End): number {
  switch (end.kind) {
    case 'pods':
      return end.pods.length;
    case 'node':
      return 1;
    case 'outside':
      return end.ranges.reduce((sum, { first, last }) => sum + Number(last - first + 1n), 0);
  }
}

function portCount(ranges: readonly PortRange[]): number {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}
