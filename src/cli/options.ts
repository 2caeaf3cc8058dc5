import type { Options } from 'yargs';
import { CNI_NAMES, type CniName } from '../cni/profile.ts';
import { LabError } from '../model/lab-error.ts';

/** `-f PATH…`: files, folders, or `-` for stdin. */
export const FILES = {
  type: 'array',
  string: true,
  alias: ['filename'],
  requiresArg: true,
  describe: 'Files or folders of manifests, - for stdin',
} as const satisfies Options;

/** `--lab NAME`, where one lab alone need not be named. */
export const LAB = {
  ...single('lab'),
  describe: 'Running lab; needless if only one runs',
} as const satisfies Options;

/** `-n NAMESPACE`. */
export const NAMESPACE = {
  ...single('namespace'),
  alias: ['n'],
  describe: 'Namespace',
  defaultDescription: 'default',
} as const satisfies Options;

/** `--port P`. */
export const PORT = {
  ...single('port'),
  describe: 'Destination port: 80, 80/TCP or 53/UDP',
} as const satisfies Options;

/** `--from A`. */
export const FROM = {
  ...single('from'),
  describe: 'Source: NAMESPACE/POD, NAMESPACE/KIND/NAME or an IP address',
} as const satisfies Options;

/** `--to B`. */
export const TO = {
  ...single('to'),
  describe: 'Destination, written like the source',
} as const satisfies Options;

/** `--cni NAME`. */
export const CNI = {
  choices: CNI_NAMES,
  coerce: once<CniName>('--cni'),
  describe: 'Enforce policies as this CNI does',
  defaultDescription: 'reference',
} as const satisfies Options;

/** `-o FORMAT`, the first format being the default. */
export function output<const Format extends string>(first: Format, ...others: readonly Format[]) {
  return {
    alias: ['output'],
    choices: [first, ...others],
    coerce: once<Format>('-o'),
    defaultDescription: first,
    describe: 'Format of the answer',
  } as const satisfies Options;
}

/** An option with one text as its value; to give it twice is an error, not a list. */
export function single(name: string) {
  return { type: 'string', requiresArg: true, coerce: once<string>(`--${name}`) } as const satisfies Options;
}

function once<Value>(name: string): (value: Value | readonly Value[]) => Value {
  return (value) => {
    if (Array.isArray(value)) throw new LabError('usage', `${name} is given ${value.length} times, once is meant`);
    return value as Value;
  };
}
