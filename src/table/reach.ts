import { addressPairs, type FixedEnd } from '../model/fixed-end.ts';
import type { PortSpec } from '../model/question.ts';
import { connectionDecider } from './connection-decider.ts';

/** Whether one end reaches another on a port, by any family. @returns undefined if they have no family in common. */
export type Reach = (from: FixedEnd, to: FixedEnd, spec: PortSpec) => boolean | undefined;

/** Opens the buffer of a compiled table for questions of who reaches whom. Cost of each: a decision or two. Throws TableFormatError. */
export function reachOf(buffer: SharedArrayBuffer): Reach {
  const decide = connectionDecider(buffer);
  return (from, to, { protocol, port }) => {
    const pairs = addressPairs(from, to);
    if (pairs.length === 0) return undefined;
    return pairs.some((pair) => decide({ ...pair, transport: protocol, port }) === 0);
  };
}
