import { createReadStream } from 'node:fs';
import { LabError } from '../model/lab-error.ts';

/** The longest line that is read; a longer one is no query. */
const MAX_LINE_LENGTH = 1 << 20;

/** The lines of a file, or of stdin for `-`, in pieces as they come. @throws LabError usage if it cannot be read. */
export function linesOf(file: string): AsyncGenerator<readonly string[]> {
  return textLines(piecesOf(file));
}

/**
 * The lines of a text that comes in pieces, without their ends: for each piece those that it completes.
 * @throws LabError usage at a line of over a million characters.
 */
export async function* textLines(pieces: AsyncIterable<string>): AsyncGenerator<readonly string[]> {
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    yield lines;
    if (rest.length > MAX_LINE_LENGTH) throw new LabError('usage', 'a line is longer than a million characters');
  }
  if (rest !== '') yield [rest];
}

async function* piecesOf(file: string): AsyncGenerator<string> {
  const stream = file === '-' ? process.stdin.setEncoding('utf8') : createReadStream(file, { encoding: 'utf8' });
  try {
    for await (const piece of stream) yield piece as string;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LabError('usage', `cannot be read: ${reason}`, { cause });
  }
}
