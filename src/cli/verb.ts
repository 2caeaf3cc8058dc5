import type { Argv, ArgumentsCamelCase } from 'yargs';
import type { Terminal } from './terminal.ts';

/**
 * One verb of the command line. A verb's file imports what its `run` needs inside `run`, so that
 * other verbs and `--help` start without it.
 */
export interface Verb<Options> {
  /** The verb and its positional arguments in yargs' notation: `down [name]`. */
  readonly command: string;
  readonly describe: string;
  /** Command lines without the program's name, each with what it does. At least one. */
  readonly examples: readonly (readonly [commandLine: string, meaning: string])[];
  readonly options: (yargs: Argv) => Argv<Options>;
  /** @returns the exit code: 0, or 1 if the answer is no. Trouble is thrown, as LabError if the user can mend it. */
  readonly run: (options: ArgumentsCamelCase<Options>, terminal: Terminal) => Promise<number>;
}

/** Adds a verb to the parser; `finish` gets its exit code. */
export function addVerb<Options>(
  parser: Argv,
  verb: Verb<Options>,
  { terminal, finish }: { terminal: Terminal; finish: (exitCode: number) => void },
): Argv {
  return parser.command<Options>(
    verb.command,
    verb.describe,
    (yargs) => verb.options(yargs).example(verb.examples.map(([line, meaning]) => [`$0 ${line}`, meaning])),
    async (options) => {
      finish(await verb.run(options, terminal));
    },
  );
}
