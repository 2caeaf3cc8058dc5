import { readFileSync } from 'node:fs';
import { libc } from '../dataplane/libc.ts';

const MADV_DONTNEED = 4; // source: asm-generic/mman-common.h
const SETTLED_MS = 5000;
const PERIOD_MS = 30_000;
const WORTH_BYTES = 18e6; // at rest it uses some 14 MB
const PAGE_BYTES = 4096; // of Linux on x64, and of most on arm64

/** Where a part of a file is mapped. */
interface Mapping {
  readonly at: number;
  readonly bytes: number;
}

/** Keeps what is resident of this process to what it uses: now that it has started, and now and then. */
export function keepResidentSmall(): void {
  const release = (): void => {
    const [, , filePages = 0] = readFileSync('/proc/self/statm', 'utf8').split(' ').map(Number);
    if (filePages * PAGE_BYTES > WORTH_BYTES) releaseProgramFiles();
  };
  setTimeout(release, SETTLED_MS).unref();
  setInterval(release, PERIOD_MS).unref();
}

/**
 * Lets go of the mapped pages of Node's program files, most of which only its start needs. The kernel keeps them for all
 * processes, and maps again what is used again. Cost: 10 to 20 ms, most of it page faults later.
 */
export function releaseProgramFiles(): void {
  for (const { at, bytes } of cleanMappings(readFileSync('/proc/self/smaps', 'utf8')))
    libc.madvise(at, bytes, MADV_DONTNEED);
}

/** Mappings of files that cannot be written to and hold nothing of this process's own. Source: proc_pid_smaps(5). */
export function cleanMappings(smaps: string): Mapping[] {
  const mappings: Mapping[] = [];
  let last: Mapping | undefined;
  for (const line of smaps.split('\n')) {
    const [, at, end, rest = ''] = /^([0-9a-f]+)-([0-9a-f]+) (.*)$/.exec(line) ?? [];
    if (at !== undefined && end !== undefined) {
      const start = parseInt(at, 16); // 47 bits of user space
      last = /^r-[x-]p .* \//.test(rest) ? { at: start, bytes: parseInt(end, 16) - start } : undefined;
    } else if (last && /^Anonymous: +0 kB$/.test(line)) mappings.push(last);
  }
  return mappings;
}
