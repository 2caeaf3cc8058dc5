const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/**
 * A span of time as kubectl's AGE shows it: `45s`, `3m20s`, `15m`, `5h10m`, `30h`, `3d4h`.
 * Source: HumanDuration, k8s.io/apimachinery/pkg/util/duration.
 */
export function ageText(ms: number): string {
  const age = Math.max(0, ms);
  if (age < 2 * MINUTE) return `${count(age, SECOND)}s`;
  if (age < 10 * MINUTE) return `${count(age, MINUTE)}m${rest(age, { unit: MINUTE, part: SECOND, letter: 's' })}`;
  if (age < 3 * HOUR) return `${count(age, MINUTE)}m`;
  if (age < 8 * HOUR) return `${count(age, HOUR)}h${rest(age, { unit: HOUR, part: MINUTE, letter: 'm' })}`;
  if (age < 2 * DAY) return `${count(age, HOUR)}h`;
  if (age < 8 * DAY) return `${count(age, DAY)}d${rest(age, { unit: DAY, part: HOUR, letter: 'h' })}`;
  if (age < 2 * YEAR) return `${count(age, DAY)}d`;
  return `${count(age, YEAR)}y${rest(age, { unit: YEAR, part: DAY, letter: 'd' })}`;
}

function count(ms: number, unit: number): number {
  return Math.floor(ms / unit);
}

/** What is left past whole units, in smaller ones; nothing if that is none. */
function rest(ms: number, { unit, part, letter }: { unit: number; part: number; letter: string }): string {
  const parts = count(ms % unit, part);
  return parts === 0 ? '' : `${parts}${letter}`;
}
