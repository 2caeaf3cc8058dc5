import type { Requirement, Selector } from '../model/selector.ts';
import type { LabelSelector } from './metadata-schema.ts';

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** The model's selector of one that validation has passed. An operator that does not exist is left out. */
export function selectorOf({ matchLabels = {}, matchExpressions = [] }: LabelSelector): Selector {
  const expressions = matchExpressions.flatMap(({ key = '', operator, values = [] }): Requirement[] => {
    const known = OPERATORS.find((one) => one === operator);
    return known ? [{ key, operator: known, values }] : [];
  });
  return { requirements: [...selectorOfLabels(matchLabels).requirements, ...expressions] };
}

/** The selector of what has all these labels. */
export function selectorOfLabels(labels: Readonly<Record<string, string>>): Selector {
  return { requirements: Object.entries(labels).map(([key, value]) => ({ key, operator: 'In', values: [value] })) };
}
