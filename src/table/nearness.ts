import { isWithinReach, type Difference, type NearMiss } from '../model/near-miss.ts';

/** Anything that misses by some differences. */
type Missing = Pick<NearMiss, 'differences'>;

/** Sorts the nearest first: within reach before what no change reaches, then the fewest differences, then the least remote. */
export function compareNearness(one: Missing, other: Missing): number {
  return (
    Number(isWithinReach(other)) - Number(isWithinReach(one)) ||
    one.differences.length - other.differences.length ||
    remotest(one) - remotest(other)
  );
}

function remotest({ differences }: Missing): number {
  return Math.max(0, ...differences.map(remoteness));
}

/** How unlikely it is that this one thing was the mistake; between equals the order of the rules decides. */
function remoteness(difference: Difference): number {
  switch (difference.kind) {
    case 'protocol':
      return 0;
    case 'label':
      return difference.actual === null ? 1 : 0;
    case 'port':
      return difference.service ? 0 : 1;
    case 'named-port':
      return difference.enough === null ? 3 : difference.service ? 0 : 1;
    case 'namespace-label':
    case 'namespace':
      return 2;
    case 'except':
      return 3;
    case 'block':
      return 4;
    case 'icmp':
    case 'no-pod':
      return 5;
    case 'contradiction':
    case 'no-rules':
      return 6;
  }
}
