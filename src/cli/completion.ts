import { KIND_PLURALS } from '../model/kind-names.ts';

/** Offers completions to yargs: names of labs and kinds where a verb takes one, else what yargs finds itself. */
export async function complete(
  current: string,
  argv: Readonly<Record<string, unknown>>,
  defaults: (done?: (error: Error | null, words: string[] | undefined) => void) => void,
  done: (words: string[]) => void,
): Promise<void> {
  const words = current.startsWith('-') ? [] : await wordsFor(argv);
  if (words.length > 0) done(words.filter((word) => word.startsWith(current)));
  else defaults();
}

async function wordsFor(argv: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  const positional = Array.isArray(argv['_']) ? (argv['_'] as unknown[]) : [];
  // The first word is the program's name; the last is the one being completed.
  const [, verb, ...rest] = positional;
  if (argv['lab'] === '') return runningNames();
  if (rest.length !== 1) return [];
  switch (verb) {
    case 'up':
    case 'run':
      return shippedNames();
    case 'down':
      return runningNames();
    case 'get':
    case 'delete':
      return KIND_PLURALS;
    case 'label':
      return ['pods', 'namespaces'];
    default:
      return [];
  }
}

async function runningNames(): Promise<readonly string[]> {
  const { runningLabs } = await import('../lab/connect.ts');
  return runningLabs();
}

async function shippedNames(): Promise<readonly string[]> {
  const { shippedLabs } = await import('../lab/shipped.ts');
  return (await shippedLabs()).map(({ name }) => name);
}
