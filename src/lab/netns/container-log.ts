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

  /** Adds output. A line is written when it is whole, or too long for one record. */
  append(output: OutputName, bytes: Uint8Array): void {
    if (this.#ended) return;
    const text = Buffer.concat([this.#unfinished[output], bytes]);
    const begun = text.length - (text.lastIndexOf(NEWLINE) + 1);
    const kept = begun > LINE_BYTES ? begun % LINE_BYTES : begun;
    this.#unfinished[output] = Buffer.from(text.subarray(text.length - kept));
    this.#write(recordsOf(output, text.subarray(0, text.length - kept)));
  }

  /** Says that nothing more will come: readers that follow it end. */
  end(): void {
    if (this.#ended) return;
    for (const output of ['stdout', 'stderr'] as const) this.#write(recordsOf(output, this.#unfinished[output]));
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

  /** Writes whole records, as many to each file as it has room for. */
  #write(records: Buffer): void {
    for (let begin = 0; begin < records.length;) {
      const room = FILE_BYTES - (this.#end - this.#newer);
      const fits = records.length - begin <= room;
      const end = fits ? records.length : records.subarray(0, begin + room).lastIndexOf(NEWLINE) + 1;
      if (end <= begin) {
        this.#rotate();
        continue;
      }
      // At a place of its own: what a full disk has cut short is overwritten by what comes next.
      if (isWritten(this.#file, records.subarray(begin, end), this.#end - this.#newer)) this.#end += end - begin;
      begin = end;
    }
    if (records.length > 0) this.#news.emit('news');
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

/** Text as records, a line each; without its end, or in pieces, where a record cannot hold it. Cost: about 0.3 µs a line. */
function recordsOf(output: OutputName, text: Buffer): Buffer {
  const [whole, piece] = ['F', 'P'].map((tag) => Buffer.from(`${headOf(output)} ${tag} `)) as [Buffer, Buffer];
  const lines = text.reduce((count, byte) => (byte === NEWLINE ? count + 1 : count), 0);
  const most = lines + Math.ceil(text.length / LINE_BYTES);
  const records = Buffer.allocUnsafe(text.length + most * (whole.length + 1));
  let length = 0;
  for (let begin = 0; begin < text.length;) {
    const newline = text.indexOf(NEWLINE, begin);
    const end = Math.min(newline < 0 ? text.length : newline, begin + LINE_BYTES);
    length += (end === newline ? whole : piece).copy(records, length);
    length += text.copy(records, length, begin, end);
    records[length++] = NEWLINE;
    begin = end === newline ? end + 1 : end;
  }
  return records.subarray(0, length);
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
