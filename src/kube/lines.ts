import { StringDecoder } from 'node:string_decoder';

/** A line is longer than its reader takes. */
export class LineTooLong extends Error {}

/**
 * The lines of a stream, without their ends; what follows the last end is dropped, as it may be cut off.
 * Throws LineTooLong for a line of more characters than `max`, so that memory is bounded.
 */
export async function* linesOf(stream: AsyncIterable<Buffer>, max: number): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const [first = '', ...rest] = decoder.write(chunk).split('\n');
    pieces.push(first);
    length += first.length;
    for (const piece of rest) {
      if (length > max) break;
      yield pieces.join('');
      pieces = [piece];
      length = piece.length;
    }
    if (length > max) throw new LineTooLong(`a line has more than ${max} characters`);
  }
}
