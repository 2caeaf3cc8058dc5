import { access, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadLab } from '../../src/lab/lab-file.ts';
import { readLabManifests } from '../../src/lab/lab-manifests.ts';
import { shippedLabs } from '../../src/lab/shipped.ts';
import { parseManifests } from '../../src/manifest/manifest.ts';
import { given } from '../builders/given.ts';

const LABS = await shippedLabs();
const SECTIONS = ['What it teaches', 'Topology', 'Steps', 'What to look at', 'Things to try'];

describe.each(LABS)('the README of $name', async ({ name, title, folder, isTask }) => {
  const text = await readFile(join(folder, 'README.md'), 'utf8');
  const lab = await loadLab(folder);

  /** What stands under a heading. */
  function section(heading: string): string {
    return given(text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0], `section ${heading} of ${name}`);
  }

  it('begins with the title and how to run it, and has the sections of all', () => {
    const [heading, , command, next] = text.split('\n');
    expect(heading?.toLowerCase()).toBe(`# ${name}: ${title}`.toLowerCase());
    expect(command).toBe(`    netpol-lab run ${name}`);
    expect(next).toBe(isTask ? `    netpol-lab learn ${name}` : '');
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, found = '']) => found);
    expect(headings.filter((each) => SECTIONS.includes(each))).toEqual(SECTIONS);
  });

  it('tells of each step, and of no other', () => {
    const steps = section('Steps');
    const told = [...steps.matchAll(/^\| (\d+)(?:, (\d+))? +\|/gm), ...steps.matchAll(/\bstep (\d+)/gi)]
      .flatMap(([, one, other]) => [one, other])
      .filter((number) => number !== undefined);
    const numbers = [...new Set(told.map(Number))].sort((one, other) => one - other);
    expect(numbers).toEqual(lab.steps.map((_, index) => index + 1));
    const mentioned = [...text.matchAll(/\bsteps? (\d+)/gi)].map(([, number]) => Number(number));
    expect(Math.max(0, ...mentioned)).toBeLessThanOrEqual(lab.steps.length);
  });

  it('names the policies that the steps apply, or their files', async () => {
    const steps = section('Steps');
    for (const path of lab.steps.flatMap(({ apply }) => apply)) {
      const [file] = await readLabManifests([path]);
      const { objects } = parseManifests(file ? [file] : []);
      const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy').map(({ name: policy }) => policy);
      if (policies.length === 0) continue;
      const isNamed = [...policies, basename(path, '.yaml')].some((each) => steps.includes(`\`${each}\``));
      expect({ path, isNamed }).toEqual({ path, isNamed: true });
    }
  });

  it('leads to files that are there, by links and by commands', async () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path = '']) => join(folder, path));
    const paths = [...text.matchAll(/\blabs\/[\w./-]+/g)].map(([path]) => path.replace(/\.$/, ''));
    for (const path of [...links, ...paths]) await access(path);
    const commands = [...text.matchAll(/^ {4}netpol-lab (.*)$/gm)].map(([, command = '']) => command.split(' '));
    const started = commands.filter(([verb]) => verb === 'run' || verb === 'up').map(([, named]) => named);
    expect([...new Set(started)]).toEqual([name]);
  });
});
