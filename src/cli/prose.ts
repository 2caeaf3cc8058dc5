import { printable } from '../report/printable.ts';

/** The widest that prose is printed; commands and their output stay as they are. */
export const PROSE_WIDTH = 100;

/** Prose in lines of at most `width` characters, if its words let it. */
export function wrapped(text: string, width = PROSE_WIDTH): string {
  const lines: string[] = [];
  for (const word of printable(text).trim().split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines.splice(-1, 1, `${last} ${word}`);
    else lines.push(word);
  }
  return lines.join('\n');
}
