import { at, type ApiObject } from '../../apiserver/api-object.ts';

/** A ReplicaSet of a Deployment: how many pods it is to have, and how many of those that it has are ready. */
export interface Generation {
  readonly replicas: number;
  readonly available: number;
}

/** How far a rolling update may go beyond the wanted number of pods, and below. */
export interface Leeway {
  readonly surge: number;
  readonly unavailable: number;
}

/** The leeway that a Deployment gives. Source: ResolveFenceposts: surges are rounded up, gaps down, and one of both is at least 1. */
export function leewayOf(deployment: ApiObject, wanted: number): Leeway {
  const strategy = at(deployment, 'spec', 'strategy', 'rollingUpdate');
  const share = (field: string, round: (value: number) => number): number => {
    const given = at(strategy, field);
    if (typeof given === 'number') return given;
    return typeof given === 'string' ? round((wanted * Number.parseInt(given, 10)) / 100) : 0;
  };
  const [surge, unavailable] = [share('maxSurge', Math.ceil), share('maxUnavailable', Math.floor)];
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

/**
 * The next step of a rolling update: the sizes of the present generation and of the earlier ones, oldest first. It takes
 * steps until the present one has all pods. Source: pkg/controller/deployment/rolling.go.
 */
export function nextStep(
  { present, earlier }: { readonly present: Generation; readonly earlier: readonly Generation[] },
  wanted: number,
  { surge, unavailable }: Leeway,
): { readonly present: number; readonly earlier: readonly number[] } {
  const total = sum(earlier, ({ replicas }) => replicas) + present.replicas;
  const room = Math.max(0, wanted + surge - total);
  const grown = Math.min(wanted, present.replicas + room);
  const least = wanted - unavailable;
  const notYet = grown - Math.min(grown, present.available);
  let surplus = total - present.replicas + grown - least - notYet;
  // Pods that serve nobody go first.
  const sizes = earlier.map(({ replicas, available }) => {
    const idle = Math.min(Math.max(0, surplus), replicas - Math.min(replicas, available));
    surplus -= idle;
    return replicas - idle;
  });
  let spare = Math.min(surplus, sum(earlier, ({ available }) => available) + present.available - least);
  const shrunk = sizes.map((size) => {
    const gone = Math.min(Math.max(0, spare), size);
    spare -= gone;
    return size - gone;
  });
  return { present: grown, earlier: shrunk };
}

function sum<Item>(items: readonly Item[], count: (item: Item) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
