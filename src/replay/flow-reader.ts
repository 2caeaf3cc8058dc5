import { field } from './json-path.ts';
import { csvReader } from './flow-csv.ts';
import { readHubbleFlow } from './hubble-flow.ts';
import { readLabFlow } from './lab-flow.ts';
import { skipped, type Reading } from './recorded-flow.ts';

/** Reads records of flows line by line: our own JSON, Hubble's, and CSV, of which the first line is the header. */
export class FlowReader {
  #csv: ((line: string) => Reading) | undefined;
  #isFirst = true;

  /** @returns undefined for what is no record at all: a blank line, a header. */
  read(line: string): Reading | undefined {
    const text = line.trim();
    if (text === '') return undefined;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (text.startsWith('{')) return readJson(text);
    if (this.#csv) return this.#csv(text);
    if (isFirst) this.#csv = csvReader(text);
    return this.#csv ? undefined : skipped('neither JSON nor CSV with a header of from, to and port');
  }
}

function readJson(text: string): Reading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return skipped('no JSON');
  }
  const isHubble = ['flow', 'IP', 'l4', 'source'].some((name) => field(value, name) !== undefined);
  return isHubble ? readHubbleFlow(value) : readLabFlow(value);
}
