import { LabError } from '../model/lab-error.ts';
import type { Requirement, Selector } from '../model/selector.ts';

// Commas part requirements, but not within parentheses.
const BETWEEN_REQUIREMENTS = /,(?![^(]*\))/;
const KEY = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?$/;

/**
 * Parses a selector as kubectl's -l takes it: `app=web,tier!=db,env in (a,b),zone notin (c),app,!legacy`.
 * @throws LabError usage if it is none. Source: labels.Parse, k8s.io/apimachinery.
 */
export function parseLabelSelector(text: string): Selector {
  if (text.trim() === '') return { requirements: [] };
  return { requirements: text.split(BETWEEN_REQUIREMENTS).map((part) => requirementOf(part.trim(), text)) };
}

function requirementOf(part: string, whole: string): Requirement {
  const requirement = setBased(part) ?? equality(part) ?? existence(part);
  if (!KEY.test(requirement.key) || !requirement.values.every((value) => VALUE.test(value))) {
    throw new LabError(
      'usage',
      `"${whole}" is no label selector: "${part}" is not KEY=VALUE, KEY in (A,B), KEY or !KEY`,
    );
  }
  return requirement;
}

function setBased(part: string): Requirement | undefined {
  const [, key, word, list] = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part) ?? [];
  if (key === undefined || list === undefined) return undefined;
  return { key, operator: word === 'in' ? 'In' : 'NotIn', values: list.split(',').map((value) => value.trim()) };
}

function equality(part: string): Requirement | undefined {
  const [, key, sign, value] = /^([^=!\s]+)\s*(!=|==?)\s*([^=!\s]*)$/.exec(part) ?? [];
  if (key === undefined || value === undefined) return undefined;
  return { key, operator: sign === '!=' ? 'NotIn' : 'In', values: [value] };
}

function existence(part: string): Requirement {
  return part.startsWith('!')
    ? { key: part.slice(1).trim(), operator: 'DoesNotExist', values: [] }
    : { key: part, operator: 'Exists', values: [] };
}
