import type { Labels, Requirement, Selector } from '../../src/model/selector.ts';

/**
 * A selector in short: `{ app: 'web' }` are matchLabels, `[['tier', 'In', 'a', 'b'], ['old',
 * 'DoesNotExist']]` are matchExpressions; both empty forms select everything.
 */
export type SelectorNotation = Readonly<Record<string, string>> | readonly RequirementNotation[];

/** A matchExpression in short: key, operator, values. */
export type RequirementNotation = readonly [key: string, operator: Requirement['operator'], ...values: string[]];

/** Labels of a plain object. */
export function labels(pairs: Readonly<Record<string, string>>): Labels {
  return new Map(Object.entries(pairs));
}

/** The selector written so. */
export function selector(notation: SelectorNotation): Selector {
  if (isExpressions(notation)) {
    return { requirements: notation.map(([key, operator, ...values]) => ({ key, operator, values })) };
  }
  return {
    requirements: Object.entries(notation).map(([key, value]) => ({ key, operator: 'In', values: [value] })),
  };
}

function isExpressions(notation: SelectorNotation): notation is readonly RequirementNotation[] {
  return Array.isArray(notation);
}
