import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { labFolder, shippedLabs } from '../../src/lab/shipped.ts';

describe('a lab as users name it', () => {
  it('is a shipped one by its name', async () => {
    const folders = await Promise.all((await shippedLabs()).map(({ name }) => labFolder(name)));
    expect(folders.map((folder) => basename(folder))).toEqual((await shippedLabs()).map(({ name }) => name));
  });

  it('is a folder by its path', async () => {
    expect(await labFolder('./test')).toBe('./test');
  });

  it.each([
    ['defalt-deny', 'no lab and no folder defalt-deny; did you mean default-deny?; "netpol-lab labs" lists the labs'],
    ['./default-deny', /^no lab and no folder \.\/default-deny; /],
  ])('is refused if there is no %s', async (lab, message) => {
    await expect(labFolder(lab)).rejects.toThrow(message);
  });
});
