import { EventEmitter, once } from 'node:events';
import { closeSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { LogRecord } from '../../apiserver/streams/pod-access.ts';

/** Which of its outputs a container wrote to. */
export type OutputName = 'stdout' | 'stderr';

/** What to read of a log. `tailLines`: the last of what is there. With `follow`, what comes until the log's end as well. */
export interface LogReading {
  readonly follow: boolean;
  readonly tailLines: number | undefined;
  readonly signal: AbortSignal;
}

const FILE_BYTES = 1 << 20; // the folder of labs is often memory; a log has two files at most
const LINE_BYTES = 16 << 10; // as containerd; what is longer becomes several records
const BLOCK_BYTES = 64 << 10; // more than any record
const NEWLINE = 10;

/**
 * What a run of a container has written, in files as a kubelet keeps them: a record a line, `TIME OUTPUT TAG TEXT`, with
 * the tag P where the line goes on in the next record, else F. The last 1 to 2 MiB are kept.
 * Reads and writes are short and synchronous, so that no reader sees half a record or a file that is being changed.
 */
export class ContainerLog {
  readonly #path: string;
  readonly #news = new EventEmitter().setMaxListeners(0);
  readonly #unfinished: Record<OutputName, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  #file: number;
  // Places in all that was ever written: the oldest byte that is kept, the first of the newer file, the end.
  #start = 0;
  #newer = 0;
  #end = 0;
  #ended = false;

  /** Begins an empty log at that path; its older file is beside it. */
  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'w', 0o600);
  }

  /** Adds output. A line is written when it is whole. */
  append(output: OutputName, bytes: Uint8Array): void {
    if (this.#ended) return;
    const text = Buffer.concat([this.#unfinished[output], bytes]);
    const head = headOf(output);
    const records: Buffer[] = [];
    let begin = 0;
    for (let newline = text.indexOf(NEWLINE); newline >= 0; newline = text.indexOf(NEWLINE, begin)) {
      for (; newline - begin > LINE_BYTES; begin += LINE_BYTES) {
        records.push(record(head, 'P', text.subarray(begin, begin + LINE_BYTES)));
      }
      records.push(record(head, 'F', text.subarray(begin, newline)));
      begin = newline + 1;
    }
    for (; text.length - begin > LINE_BYTES; begin += LINE_BYTES) {
      records.push(record(head, 'P', text.subarray(begin, begin + LINE_BYTES)));
    }
    this.#unfinished[output] = Buffer.from(text.subarray(begin));
    this.#write(records);
  }

  /** Says that nothing more will come: readers that follow it end. */
  end(): void {
    if (this.#ended) return;
    const outputs = (['stdout', 'stderr'] as const).filter((output) => this.#unfinished[output].length > 0);
    this.#write(outputs.map((output) => record(headOf(output), 'P', this.#unfinished[output])));
    this.#ended = true;
    closeSync(this.#file);
    this.#news.emit('news');
  }

  /** Deletes its files. */
  remove(): void {
    this.end();
    for (const path of [this.#path, this.#olderPath]) rmSync(path, { force: true });
  }

  /** Its records, oldest first, some at a time. What is overwritten before the reader comes to it is left out. Ends when aborted. */
  async *read({ follow, tailLines, signal }: LogReading): AsyncGenerator<LogRecord[]> {
    const end = this.#end;
    let place = tailLines === undefined ? this.#start : this.#lastLines(tailLines);
    while (!signal.aborted) {
      place = Math.max(place, this.#start);
      const bytes = this.#bytes(place, Math.min(follow ? this.#end : end, place + BLOCK_BYTES));
      const whole = bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
      if (whole.length > 0) yield [...recordsIn(whole)];
      place += whole.length;
      if (place < (follow ? this.#end : end)) continue;
      if (!follow || this.#ended) return;
      await once(this.#news, 'news', { signal }).catch(() => undefined);
    }
  }

  get #olderPath(): string {
    return `${this.#path}.1`;
  }

  #write(records: readonly Buffer[]): void {
    let batch: Buffer[] = [];
    let bytes = 0;
    const flush = (): void => {
      // At a place of its own: what a full disk has cut short is overwritten by what comes next.
      if (isWritten(this.#file, Buffer.concat(batch), this.#end - this.#newer)) this.#end += bytes;
      [batch, bytes] = [[], 0];
    };
    for (const each of records) {
      if (this.#end - this.#newer + bytes + each.length > FILE_BYTES) {
        flush();
        this.#rotate();
      }
      batch.push(each);
      bytes += each.length;
    }
    flush();
    this.#news.emit('news');
  }

  #rotate(): void {
    closeSync(this.#file);
    renameSync(this.#path, this.#olderPath);
    this.#file = openSync(this.#path, 'w', 0o600);
    this.#start = this.#newer;
    this.#newer = this.#end;
  }

  /** Where the last lines begin. */
  #lastLines(count: number): number {
    let left = count;
    let end = this.#end;
    while (end > this.#start) {
      const begin = Math.max(end > this.#newer ? this.#newer : this.#start, end - BLOCK_BYTES);
      const bytes = this.#bytes(begin, end);
      for (let at = bytes.lastIndexOf(NEWLINE); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1)) {
        if (left === 0) return begin + at + 1;
        left -= 1;
      }
      end = begin;
    }
    return this.#start;
  }

  /** What is written between two places, as far as one file has it. */
  #bytes(begin: number, end: number): Buffer {
    const older = begin < this.#newer;
    const first = older ? this.#start : this.#newer;
    const bytes = Buffer.alloc(Math.max(0, Math.min(end, older ? this.#newer : this.#end) - begin));
    if (bytes.length === 0) return bytes;
    const file = openSync(older ? this.#olderPath : this.#path, 'r');
    try {
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, begin - first));
    } finally {
      closeSync(file);
    }
  }
}

function isWritten(file: number, bytes: Buffer, place: number): boolean {
  try {
    return writeSync(file, bytes, 0, bytes.length, place) === bytes.length;
  } catch {
    return false; // a container goes on without its log
  }
}

function headOf(output: OutputName): string {
  const time = new Date().toISOString().replace('Z', '000000Z'); // nanoseconds, as a kubelet writes them
  return `${time} ${output}`;
}

function record(head: string, tag: 'F' | 'P', text: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${head} ${tag} `), text, Buffer.of(NEWLINE)]);
}

function* recordsIn(bytes: Buffer): Generator<LogRecord> {
  for (let begin = 0; begin < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, begin);
    const output = bytes.indexOf(' ', begin);
    const tag = bytes.indexOf(' ', output + 1) + 1;
    const whole = bytes[tag] === 'F'.charCodeAt(0);
    yield {
      time: bytes.toString('latin1', begin, output),
      text: bytes.subarray(tag + 2, whole ? newline + 1 : newline),
    };
    begin = newline + 1;
  }
}
