import { DIRECTIONS, type Rule } from '../../src/model/policy.ts';
import type { Verdict } from '../../src/model/verdict.ts';

// What a sample of decisions must have at least, so that agreement on it means something. In each
// direction: the kinds of verdicts, and what made rules match.
const FAIR_SHARES = {
  'not-isolated': 0.1,
  rules: 0.1,
  'no-rule': 0.1,
  itself: 0.01,
  node: 0.01,
  'peers any': 0.005,
  'peers block': 0.005,
  'peers block with except': 0.005,
  'peers pods of own': 0.005,
  'peers pods of selected': 0.005,
  'ports any': 0.005,
  'ports protocol': 0.002,
  'ports range': 0.002,
  'ports named': 0.001,
};

/** Counts what decisions are made of. */
export class Tally {
  decisions = 0;
  readonly #counts = new Map<string, number>();

  /** Counts one decision. */
  add(verdict: Verdict): void {
    this.decisions += 1;
    for (const direction of DIRECTIONS) {
      const side = verdict[direction];
      const causes = side.kind === 'rules' ? side.matches.flatMap(({ rule }) => causesOf(rule)) : [];
      for (const key of new Set([side.kind, ...causes])) {
        this.#counts.set(`${direction} ${key}`, this.#count(`${direction} ${key}`) + 1);
      }
    }
  }

  /** What has less than its fair share of the decisions, each with its share. */
  rare(): string[] {
    return DIRECTIONS.flatMap((direction) =>
      Object.entries(FAIR_SHARES).flatMap(([key, want]) => {
        const got = this.#count(`${direction} ${key}`) / this.decisions;
        return got < want ? [`${direction} ${key}: ${got.toFixed(4)} of decisions, want ${want}`] : [];
      }),
    );
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }
}

/** Why a rule that matched did so, as far as a single peer or a single port tells. */
function causesOf(rule: Rule): string[] {
  return [`peers ${peersText(rule)}`, `ports ${portsText(rule)}`];
}

function peersText({ peers }: Rule): string {
  if (peers.kind === 'any') return 'any';
  const [only, ...more] = peers.peers;
  if (!only || more.length > 0) return 'several';
  if (only.kind === 'block') return only.except.length > 0 ? 'block with except' : 'block';
  return `pods of ${only.namespaces.kind}`;
}

function portsText({ ports }: Rule): string {
  if (ports.kind === 'any') return 'any';
  const [only, ...more] = ports.ports;
  if (!only || more.length > 0) return 'several';
  return only.port.kind === 'any' ? 'protocol' : only.port.kind;
}
