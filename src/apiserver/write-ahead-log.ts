import { mkdir, open, readFile, rename, rm, truncate, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { JsonObject, JsonValue } from '../manifest/json.ts';
import { isObject } from '../manifest/json.ts';
import { LabError } from '../model/lab-error.ts';

const LOG_FILE = 'objects.log';
const NEW_FILE = 'objects.log.new';

/**
 * A file of JSON records, one a line behind its checksum. A record is on the disk once flushed() has resolved after
 * append(); a line that a crash tore off is dropped at the next start. Appends that come while the disk is busy are
 * written and synchronised together.
 */
export class WriteAheadLog {
  readonly #folder: string;
  #file: FileHandle;
  #size: number;
  /** Lines that wait for the disk; taken whole by the write that was scheduled with its first line. */
  #batch: string[] = [];
  #tail: Promise<void> = Promise.resolve();
  #failure: unknown;

  private constructor(folder: string, file: FileHandle, size: number) {
    this.#folder = folder;
    this.#file = file;
    this.#size = size;
  }

  /** Opens the log of a folder, which is made if absent. Throws a LabError if a record other than the last is damaged. */
  static async open(folder: string): Promise<{ log: WriteAheadLog; records: JsonObject[] }> {
    await mkdir(folder, { recursive: true });
    await rm(join(folder, NEW_FILE), { force: true });
    const path = join(folder, LOG_FILE);
    const { records, length } = parseLog(await contentOf(path), path);
    const file = await open(path, 'a', 0o600);
    await truncate(path, length);
    await synchroniseFolder(folder);
    return { log: new WriteAheadLog(folder, file, length), records };
  }

  /** The length in bytes that the file has once all is written. */
  get size(): number {
    return this.#size;
  }

  /** Adds a record; flushed() tells when it is safe. */
  append(record: JsonObject): void {
    const batch = this.#batch;
    const line = lineOf(record);
    this.#size += Buffer.byteLength(line);
    if (batch.push(line) === 1) this.#schedule(() => this.#write(batch));
  }

  /** Resolves when all that was appended before is on the disk. Rejects if it cannot be written, then and ever after. */
  async flushed(): Promise<void> {
    await this.#tail;
    if (this.#failure !== undefined) {
      throw new Error('the log of objects cannot be written', { cause: this.#failure });
    }
  }

  /** Puts the records in the place of all that the log has, what still waits included, at once or not at all. */
  replace(records: Iterable<JsonObject>): void {
    const text = Array.from(records, lineOf).join('');
    this.#batch.length = 0;
    this.#batch = [];
    this.#size = Buffer.byteLength(text);
    this.#schedule(() => this.#rewrite(text));
  }

  /** Writes what is left and closes the file. */
  async close(): Promise<void> {
    try {
      await this.flushed();
    } finally {
      await this.#file.close();
    }
  }

  /** One after the other. After a failure nobody knows what the file holds: nothing more is written. */
  #schedule(step: () => Promise<void>): void {
    this.#tail = this.#tail.then(async () => {
      if (this.#failure !== undefined) return;
      try {
        await step();
      } catch (error) {
        this.#failure = error;
      }
    });
  }

  async #write(batch: string[]): Promise<void> {
    if (this.#batch === batch) this.#batch = [];
    if (batch.length === 0) return;
    await this.#file.appendFile(batch.join(''));
    await this.#file.datasync();
  }

  async #rewrite(text: string): Promise<void> {
    const path = join(this.#folder, NEW_FILE);
    const file = await open(path, 'ax', 0o600);
    await file.appendFile(text);
    await file.sync();
    await rename(path, join(this.#folder, LOG_FILE));
    await synchroniseFolder(this.#folder);
    await this.#file.close();
    this.#file = file;
  }
}

function lineOf(record: JsonObject): string {
  const json = JSON.stringify(record);
  return `${checksumOf(json)} ${json}\n`;
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

function parseLog(text: string, path: string): { records: JsonObject[]; length: number } {
  const records: JsonObject[] = [];
  let start = 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    const record = end < 0 ? undefined : recordOf(text.slice(start, end));
    if (!record) {
      if (end >= 0 && end + 1 < text.length) {
        throw new LabError(
          'environment',
          `${path}: record ${records.length + 1} is damaged: delete the file, or begin anew by "netpol-lab up --fresh"`,
        );
      }
      break;
    }
    records.push(record);
    start = end + 1;
  }
  return { records, length: Buffer.byteLength(text.slice(0, start)) };
}

function recordOf(line: string): JsonObject | undefined {
  const json = line.slice(9);
  if (line.slice(0, 9) !== `${checksumOf(json)} `) return undefined;
  const value = JSON.parse(json) as JsonValue;
  return isObject(value) ? value : undefined;
}

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** A file's name is safe only once its folder is. */
async function synchroniseFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
