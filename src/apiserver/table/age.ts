const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/**
 * A span of time as a table shows it: `45s`, `3m20s`, `15m`, `5h10m`, `30h`, `3d4h`.
 * Source: HumanDuration, k8s.io/apimachinery/pkg/util/duration.
 */
export function ageText(ms: number): string {
  const age = Math.max(0, ms);
  const step = STEPS.find(({ belowMs }) => age < belowMs);
  if (!step) return inUnits(age, { unit: YEAR, letter: 'y', part: DAY, partLetter: 'd' });
  return inUnits(age, step);
}

interface Step {
  readonly unit: number;
  readonly letter: string;
  readonly part?: number;
  readonly partLetter?: string;
}

const STEPS: readonly (Step & { readonly belowMs: number })[] = [
  { belowMs: 2 * MINUTE, unit: SECOND, letter: 's' },
  { belowMs: 10 * MINUTE, unit: MINUTE, letter: 'm', part: SECOND, partLetter: 's' },
  { belowMs: 3 * HOUR, unit: MINUTE, letter: 'm' },
  { belowMs: 8 * HOUR, unit: HOUR, letter: 'h', part: MINUTE, partLetter: 'm' },
  { belowMs: 2 * DAY, unit: HOUR, letter: 'h' },
  { belowMs: 8 * DAY, unit: DAY, letter: 'd', part: HOUR, partLetter: 'h' },
  { belowMs: 2 * YEAR, unit: DAY, letter: 'd' },
];

function inUnits(age: number, { unit, letter, part, partLetter = '' }: Step): string {
  const whole = `${Math.floor(age / unit)}${letter}`;
  const parts = part === undefined ? 0 : Math.floor((age % unit) / part);
  return parts === 0 ? whole : `${whole}${parts}${partLetter}`;
}
