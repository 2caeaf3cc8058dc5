import yargs, { type Argv } from 'yargs';
import { packageVersion } from '../lab/version.ts';
import { LabError } from '../model/lab-error.ts';
import { suggestion } from '../model/nearest-name.ts';
import { printable } from '../report/printable.ts';
import { nameCompletions } from './completion.ts';
import { Interrupted } from './interruption.ts';
import { OutputClosed, Terminal } from './terminal.ts';
import { addVerb, type Verb } from './verb.ts';
import { APPLY } from './apply.ts';
import { BENCH } from './bench.ts';
import { CHECK } from './check.ts';
import { COMPARE } from './compare.ts';
import { COMPOSE } from './compose.ts';
import { DELETE } from './delete.ts';
import { DIFF } from './diff.ts';
import { DOWN } from './down.ts';
import { ENV } from './env.ts';
import { EXEC } from './exec.ts';
import { EXPLAIN } from './explain.ts';
import { FLOWS } from './flows.ts';
import { GENERATE_EXPECTATIONS } from './generate-expectations.ts';
import { GET } from './get.ts';
import { GRAPH } from './graph.ts';
import { KUBECTL } from './kubectl.ts';
import { LABEL } from './label.ts';
import { LABS } from './labs.ts';
import { LEARN } from './learn.ts';
import { LINT } from './lint.ts';
import { MATRIX } from './matrix.ts';
import { REPLAY } from './replay.ts';
import { RUN } from './run.ts';
import { TEST } from './test.ts';
import { UP } from './up.ts';
import { VALIDATE } from './validate.ts';
import { WHY } from './why.ts';

/** What the program's exit code says. A verb's own command may end with any other (exec). */
const EXIT = {
  fine: 0,
  usage: 2,
  environment: 3,
  bug: 70, // EX_SOFTWARE of sysexits.h
} as const;

const COMPLETION = 'completion';

// What the script of `completion` calls, followed by the line so far.
const COMPLETION_REQUEST = '--get-yargs-completions';

const MAX_WIDTH = 110; // of help; longer lines are hard to read

const EPILOGUE = `Exit codes: 0 fine, 1 the answer is no or an expectation failed, 2 bad usage or input,
3 this machine cannot do it, 70 a bug of netpol-lab; exec and kubectl end as their commands do.`;

/** Runs a command line, given without the program's name. Sets the process's exit code; never rejects. */
export async function main(argv: readonly string[]): Promise<void> {
  const terminal = new Terminal(process);
  try {
    process.exitCode = await run(argv, terminal);
  } catch (error) {
    process.exitCode = exitCodeOf(error, terminal);
  }
}

async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = EXIT.fine;
  const parser = newParser(argv);
  const names = [COMPLETION];
  const add = <Options>(verb: Verb<Options>): void => {
    names.push(verb.command.split(' ')[0] ?? '');
    addVerb(parser, verb, { terminal, finish: (code) => (exitCode = code) });
  };
  add(RUN);
  add(UP);
  add(DOWN);
  add(LABS);
  add(LEARN);
  add(EXEC);
  add(EXPLAIN);
  add(FLOWS);
  add(WHY);
  add(MATRIX);
  add(GET);
  add(APPLY);
  add(DELETE);
  add(LABEL);
  add(ENV);
  add(KUBECTL);
  add(CHECK);
  add(VALIDATE);
  add(LINT);
  add(DIFF);
  add(COMPARE);
  add(TEST);
  add(GENERATE_EXPECTATIONS);
  add(REPLAY);
  add(GRAPH);
  add(COMPOSE);
  add(BENCH);
  const [first = '', ...rest] = argv;
  if (first === COMPLETION_REQUEST) {
    const found = await nameCompletions(rest);
    if (found.length > 0) {
      await terminal.print(found.join('\n'));
      return EXIT.fine;
    }
    parser.exitProcess(true); // yargs answers at once and ends, else it would go on to run the verb
  }
  if (/^[^-]/.test(first) && !names.includes(first)) {
    throw new LabError('usage', `no verb "${first}"${suggestion(first, names)}; netpol-lab --help lists them`);
  }
  await parser.parseAsync();
  return exitCode;
}

/** The parser of the command line, without its verbs. */
function newParser(argv: readonly string[]): Argv {
  const parser = yargs(joinDashes(argv))
    .scriptName('netpol-lab')
    .usage('$0 VERB\n\nKubernetes NetworkPolicies enforced on real connections, without a cluster.')
    .version(packageVersion())
    .parserConfiguration({
      'populate--': true,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'dot-notation': false,
      'boolean-negation': false,
    })
    .exitProcess(false)
    .showHelpOnFail(false)
    .strict()
    .demandCommand(1, 'Say what to do: netpol-lab --help lists the verbs')
    .completion(COMPLETION, 'Print a script that completes in bash or zsh')
    .epilogue(EPILOGUE)
    .help()
    .alias('help', 'h')
    .fail((message: string | null, error: Error | undefined) => {
      throw error === undefined || error.name === 'YError' ? new LabError('usage', message ?? String(error)) : error;
    });
  return parser.wrap(Math.min(MAX_WIDTH, parser.terminalWidth()));
}

/** yargs takes a lone `-` after an option for another option; joined to its option by `=` it is a value. */
function joinDashes(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const own = end < 0 ? argv : argv.slice(0, end);
  const joined = own.flatMap((argument, index) => {
    if (argument === '-' && own[index - 1]?.startsWith('-') === true) return [];
    return [own[index + 1] === '-' && argument.startsWith('-') ? `${argument}=-` : argument];
  });
  return [...joined, ...argv.slice(own.length)];
}

/** Says what went wrong. @returns the exit code for it. */
function exitCodeOf(error: unknown, terminal: Terminal): number {
  if (error instanceof OutputClosed) return EXIT.fine;
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof LabError) {
    terminal.complain(`error: ${error.message}`);
    return error.code === 'usage' ? EXIT.usage : EXIT.environment;
  }
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  terminal.complain(
    `This is a bug of netpol-lab; please report it with the command line and these lines:\n${printable(trace)}`,
  );
  return EXIT.bug;
}
