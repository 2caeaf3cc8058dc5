import { meets, selectorText, type Labels, type Requirement, type Selector } from '../model/selector.ts';

/** A label that keeps a selector from selecting, and all that the selector requires of it. */
export interface LabelMiss {
  readonly key: string;
  /** Null: there is no such label. */
  readonly actual: string | null;
  readonly requirements: readonly Requirement[];
  /** A value that meets all requirements, null if having no such label does; undefined if nothing can. */
  readonly enough: string | null | undefined;
}

/** The labels that would have to be others for the selector to select; none if it does. @param lasting a label that cannot be taken away. */
export function labelMisses(selector: Selector, labels: Labels, lasting?: string): LabelMiss[] {
  const unmet = new Set(selector.requirements.filter((each) => !meets(each, labels)).map(({ key }) => key));
  return [...unmet].map((key) => {
    const requirements = selector.requirements.filter((requirement) => requirement.key === key);
    const enough = candidates(requirements).find(
      (value) => !(value === null && key === lasting) && meetAll(requirements, value),
    );
    return { key, actual: labels.get(key) ?? null, requirements, enough };
  });
}

/** What may do: a value that In lists, no label at all, any value that is not listed. */
function candidates(requirements: readonly Requirement[]): (string | null)[] {
  const wanted = requirements.flatMap(({ operator, values }) => (operator === 'In' ? values : []));
  const listed = requirements.flatMap(({ values }) => values);
  // One more than there are listed, so that one of them is not.
  const others = Array.from({ length: listed.length + 1 }, (_, index) => (index === 0 ? 'any' : `any-${index}`));
  return [...wanted, null, ...others];
}

/** Whether the value of their common label meets all requirements. */
function meetAll(requirements: readonly Requirement[], value: string | null): boolean {
  return requirements.every((each) => meets(each, new Map(value === null ? [] : [[each.key, value]])));
}

/** What there is and what is wanted: `default/web has app=web2, rule wants app=web`. */
export function labelMissText(owner: string, { key, actual, requirements }: LabelMiss): string {
  const has = actual === null ? `has no label ${key}` : `has ${key}=${actual}`;
  return `${owner} ${has}, rule wants ${wishText(requirements)}`;
}

function wishText(requirements: readonly Requirement[]): string {
  const [first, ...more] = requirements;
  if (first && more.length === 0 && first.operator === 'Exists') return `any ${first.key}`;
  if (first && more.length === 0 && first.operator === 'DoesNotExist') return `no label ${first.key}`;
  return selectorText({ requirements });
}
