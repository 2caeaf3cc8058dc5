import { selects, type Labels, type Requirement, type Selector } from '../model/selector.ts';
import { getOrMake } from './get-or-make.ts';

/**
 * Which of some label sets a selector selects. Label sets are known by an integer each.
 * Cost: once for each distinct selector, as many as the rarest of its In and Exists requirements leaves.
 */
export class LabelIndex {
  readonly #labels: ReadonlyMap<number, Labels>;
  readonly #byKey = new Map<string, Map<string, number[]>>();
  readonly #answers = new Map<string, readonly number[]>();

  constructor(labels: ReadonlyMap<number, Labels>) {
    this.#labels = labels;
    for (const [id, set] of labels) {
      for (const [key, value] of set) {
        const byValue = getOrMake(this.#byKey, key, () => new Map<string, number[]>());
        getOrMake(byValue, value, () => []).push(id);
      }
    }
  }

  /** The label sets that the selector selects. */
  select(selector: Selector): readonly number[] {
    const text = JSON.stringify(selector.requirements.map(({ key, operator, values }) => [key, operator, ...values]));
    return getOrMake(this.#answers, text, () => this.#find(selector));
  }

  #find(selector: Selector): readonly number[] {
    let candidates: readonly number[] | undefined;
    for (const requirement of selector.requirements) {
      const some = this.#holders(requirement);
      if (some && (!candidates || some.length < candidates.length)) candidates = some;
    }
    return (candidates ?? [...this.#labels.keys()]).filter((id) => {
      const labels = this.#labels.get(id);
      return labels !== undefined && selects(selector, labels);
    });
  }

  /** Those that can meet the requirement; undefined if even those without the key do. */
  #holders({ key, operator, values }: Requirement): readonly number[] | undefined {
    const byValue = this.#byKey.get(key);
    if (operator === 'In') return [...new Set(values)].flatMap((value) => byValue?.get(value) ?? []);
    if (operator === 'Exists') return [...(byValue?.values() ?? [])].flat();
    return undefined;
  }
}
