import { isUtf8 } from 'node:buffer';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isObject, textOf, type JsonValue } from './json.ts';
import type { ManifestFile } from './manifest.ts';
import { readDocuments } from './yaml-document.ts';

/** A path that holds no manifests. `code` says why, the message also what to do. */
export class ManifestPathError extends Error {
  readonly code: 'not-found' | 'empty' | 'unreadable';
  readonly path: string;

  constructor(
    code: ManifestPathError['code'],
    path: string,
    options: { readonly message: string; readonly cause?: unknown },
  ) {
    super(options.message, { cause: options.cause });
    this.name = 'ManifestPathError';
    this.code = code;
    this.path = path;
  }
}

const EXTENSIONS = ['.yaml', '.yml', '.json'];
// Describes the lab in whose folder it is, unless it is a manifest of that name.
const LAB_FILE = 'lab.yaml';

/**
 * Reads files, folders with all below them in the order of their names, and `-` for stdin. Of folders only .yaml, .yml
 * and .json are read, but no dot files or node_modules, and no lab.yaml at the top that describes a lab.
 * Throws ManifestPathError.
 */
export async function readManifestFiles(
  paths: readonly string[],
  stdin: () => Promise<Buffer>,
): Promise<ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const path of paths) {
    if (path === '-') files.push(fileOf('stdin', await stdin()));
    else files.push(...(await readPath(path)));
  }
  return files;
}

async function readPath(path: string): Promise<ManifestFile[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [await readText(path)];
    const files: ManifestFile[] = [];
    for (const name of await manifestsBelow(path)) {
      // One at a time: thousands at once run out of file descriptors.
      const file = await readText(name);
      if (name !== join(path, LAB_FILE) || !describesLab(file)) files.push(file);
    }
    if (files.length > 0) return files;
    const message = `${path} has no manifests: put .yaml, .yml or .json files there, or name another folder`;
    throw new ManifestPathError('empty', path, { message });
  } catch (error) {
    throw pathError(path, error);
  }
}

/** Whether all that is in a lab.yaml can be read and says nothing of what object it is. */
function describesLab({ text }: ManifestFile): boolean {
  return readDocuments(text).every((document) => document.kind === 'value' && !isTyped(document.value));
}

function isTyped(value: JsonValue): boolean {
  return isObject(value) && textOf(value, 'apiVersion') !== '' && textOf(value, 'kind') !== '';
}

async function readText(path: string): Promise<ManifestFile> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  return fileOf(path, bytes);
}

/** Other bytes than UTF-8 are refused: characters in their place would be other names and labels. */
function fileOf(path: string, bytes: Buffer): ManifestFile {
  const text = bytes.toString();
  if (isUtf8(bytes)) return { path, text };
  const line = text.slice(0, text.indexOf('\uFFFD')).split('\n').length;
  throw unreadable(path, new Error(`line ${line} is no UTF-8`));
}

async function manifestsBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  const files: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await manifestsBelow(path)));
    else if (EXTENSIONS.some((extension) => basename(path).endsWith(extension))) files.push(path);
  }
  return files;
}

function pathError(path: string, error: unknown): ManifestPathError {
  if (error instanceof ManifestPathError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    const message = `${path} does not exist: give a file, a folder, or - for stdin`;
    return new ManifestPathError('not-found', path, { message, cause: error });
  }
  return unreadable(path, error);
}

function unreadable(path: string, error: unknown): ManifestPathError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ManifestPathError('unreadable', path, { message: `${path} cannot be read: ${reason}`, cause: error });
}
