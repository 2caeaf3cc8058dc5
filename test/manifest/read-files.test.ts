import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManifestPathError, readManifestFiles } from '../../src/manifest/read-files.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netpol-lab-read-files-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const noStdin = (): Promise<Buffer> => Promise.reject(new Error('stdin is not to be read'));

async function write(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), `text of ${name}`);
  }
}

async function read(paths: string[], stdin = noStdin): Promise<string[]> {
  const files = await readManifestFiles(paths, stdin);
  return files.map(({ path, text }) => `${path === 'stdin' ? path : relative(folder, path)}: ${text}`);
}

describe('reading manifests', () => {
  test('a folder: in order, with folders below, without what is no manifest', async () => {
    await write(
      'b.yml',
      'a.yaml',
      'c/lab.yaml',
      'c/d.json',
      'lab.yaml',
      'README.md',
      '.e.yaml',
      '.f/g.yaml',
      'node_modules/h.yaml',
    );
    expect(await read([folder])).toEqual([
      'a.yaml: text of a.yaml',
      'b.yml: text of b.yml',
      'c/d.json: text of c/d.json',
      'c/lab.yaml: text of c/lab.yaml',
    ]);
  });
  test.each([
    ['a manifest', 'a: 1\n---\napiVersion: v1\nkind: Pod\n', ['lab.yaml']],
    ['a manifest with a mistake', 'apiVersion: v1\nkind: Pod\n---\na: [\n', ['lab.yaml']],
    ['a lab file', 'title: a\nmanifests: [a.yaml]\n', []],
    ['no YAML', 'kind: [\n', ['lab.yaml']],
  ])('a lab.yaml that is %s', async (_, text, found) => {
    await write('a.yaml');
    await writeFile(join(folder, 'lab.yaml'), text);
    const files = await readManifestFiles([folder], noStdin);
    expect(files.map(({ path }) => relative(folder, path))).toEqual(['a.yaml', ...found]);
  });
  test('files of any name, folders and stdin, in the given order', async () => {
    await write('x.txt', 'sub/y.yaml');
    expect(
      await read(['-', join(folder, 'x.txt'), join(folder, 'sub/')], () => Promise.resolve(Buffer.from('piped'))),
    ).toEqual(['stdin: piped', 'x.txt: text of x.txt', 'sub/y.yaml: text of sub/y.yaml']);
  });
  test('a missing path is an error that names it and says what to do', async () => {
    const path = join(folder, 'missing.yaml');
    const error = await readManifestFiles([path], noStdin).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ManifestPathError);
    expect(error).toMatchObject({
      code: 'not-found',
      path,
      message: `${path} does not exist: give a file, a folder, or - for stdin`,
    });
  });
  test.each([
    ['nothing', 'ENOENT'],
    ['.', 'EISDIR'],
  ])('a link in a folder to %s is an error that names the link', async (target, reason) => {
    await write('a.yaml');
    const path = join(folder, 'link.yaml');
    await symlink(target, path);
    await expect(readManifestFiles([folder], noStdin)).rejects.toMatchObject({
      code: 'unreadable',
      path,
      message: expect.stringMatching(`^${path} cannot be read: ${reason}`) as unknown,
    });
  });
  test('bytes that are no UTF-8 are an error with their line', async () => {
    const path = join(folder, 'latin1.yaml');
    const bytes = Buffer.from('# caf\u00e9\n# caf\u00e9\n', 'latin1');
    await writeFile(path, Buffer.concat([Buffer.from('# caf\u00e9\n'), bytes]));
    await expect(readManifestFiles([path], noStdin)).rejects.toMatchObject({
      code: 'unreadable',
      path,
      message: `${path} cannot be read: line 2 is no UTF-8`,
    });
    await expect(readManifestFiles(['-'], () => Promise.resolve(bytes))).rejects.toMatchObject({
      message: 'stdin cannot be read: line 1 is no UTF-8',
    });
  });
  test.each([[[]], [['lab.yaml', 'README.md']]])('a folder with %j has no manifests', async (names) => {
    await write(...names);
    await expect(readManifestFiles([folder], noStdin)).rejects.toMatchObject({
      code: 'empty',
      path: folder,
      message: `${folder} has no manifests: put .yaml, .yml or .json files there, or name another folder`,
    });
  });
});
