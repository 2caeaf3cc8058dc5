import { KIND_PLURALS } from '../model/kind-names.ts';

/**
 * Names of labs or kinds where a verb takes one; empty anywhere else, where yargs knows best.
 * @param words the line so far: the program's name, the verb, and more; the last is being completed.
 */
export async function nameCompletions(words: readonly string[]): Promise<readonly string[]> {
  const [, verb, ...rest] = words;
  const current = rest.at(-1);
  if (current === undefined || current.startsWith('-')) return [];
  const names = rest.at(-2) === '--lab' ? await runningNames() : rest.length === 1 ? await namesAfter(verb) : [];
  return names.filter((name) => name.startsWith(current));
}

async function namesAfter(verb: string | undefined): Promise<readonly string[]> {
  switch (verb) {
    case 'up':
    case 'run':
    case 'learn':
      return shippedNames();
    case 'down':
    case 'env':
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
