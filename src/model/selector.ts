/** Labels of a pod or a namespace. */
export type Labels = ReadonlyMap<string, string>;

/** One condition on labels. `values` is empty for Exists and DoesNotExist. */
export interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

/** A label selector: all requirements hold. Without any it selects everything. matchLabels are In with one value. */
export interface Selector {
  readonly requirements: readonly Requirement[];
}

/** The selector that selects everything. */
export const EVERYTHING: Selector = { requirements: [] };

/** Whether the labels meet every requirement. */
export function selects(selector: Selector, labels: Labels): boolean {
  return selector.requirements.every((requirement) => meets(requirement, labels));
}

/** Whether the labels meet one requirement. NotIn and DoesNotExist hold where the key is absent. Source: apimachinery labels.Requirement.Matches. */
export function meets(requirement: Requirement, labels: Labels): boolean {
  const value = labels.get(requirement.key);
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && requirement.values.includes(value);
    case 'NotIn':
      return value === undefined || !requirement.values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** The selector as kubectl prints it: `app=web,tier in (a,b),!legacy`; empty for everything. */
export function selectorText(selector: Selector): string {
  return selector.requirements.map(requirementText).join(',');
}

function requirementText({ key, operator, values }: Requirement): string {
  const list = [...values].sort().join(',');
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${list}` : `${key} in (${list})`;
    case 'NotIn':
      return values.length === 1 ? `${key}!=${list}` : `${key} notin (${list})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
  }
}
