import { formatPatch, structuredPatch } from 'diff';
import type { ManifestChange } from './manifest-change.ts';

/** Changes as other programs take them. */
export interface Patch {
  /** `diff` is for `patch -p0` and `git apply -p0`; `manifest` is to be applied: all of it is new policies. */
  readonly format: 'diff' | 'manifest';
  readonly text: string;
  /** The files that it changes or makes. */
  readonly paths: readonly string[];
}

const NO_FILE = '/dev/null';

/** The changes as one patch. Of several changes of one file each begins with what the one before has made. */
export function patchOf(changes: readonly ManifestChange[]): Patch {
  const ofPath = [...Map.groupBy(changes, ({ path }) => path)].map(([path, own]) => ({
    path,
    before: own[0]?.before ?? null,
    after: own.at(-1)?.after ?? '',
  }));
  const paths = ofPath.map(({ path }) => path);
  if (ofPath.every(({ before }) => before === null)) {
    return { format: 'manifest', text: ofPath.map(({ after }) => after).join('---\n'), paths };
  }
  const patches = ofPath.map(({ path, before, after }) => {
    const names = [before === null ? NO_FILE : path, path] as const;
    const patch = structuredPatch(...names, before ?? '', after, undefined, undefined, { context: 3 });
    return withNamesEnded(formatPatch(patch, HEADERS), path);
  });
  return { format: 'diff', text: patches.join(''), paths };
}

const HEADERS = { includeIndex: false, includeUnderline: false, includeFileHeaders: true };

/** The patch with a tab behind the names in its header: GNU patch takes a name to the first blank otherwise. */
function withNamesEnded(patch: string, path: string): string {
  return path.includes(' ') ? patch.replace(/^(.*)\n(.*)\n/, '$1\t\n$2\t\n') : patch;
}
