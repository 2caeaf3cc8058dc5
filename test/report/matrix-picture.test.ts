import { describe, expect, test } from 'vitest';
import { matrixHtml, matrixSvg } from '../../src/report/matrix-picture.ts';
import type { Matrix } from '../../src/report/matrix.ts';

const options = { title: 'on <80>', workloadOf: (pod: string) => pod.replace(/-\d+$/, '') };

/** What cells say, row by row. */
function tips(matrix: Matrix): string[] {
  return [...matrixSvg(matrix, options).matchAll(/fill="(#\w+)"><title>([^<]*)</g)].map(
    ([, fill, tip]) => `${fill} ${tip}`,
  );
}

describe('matrixSvg', () => {
  test('has a cell a pair of few pods', () => {
    const matrix = {
      pods: ['a/x', 'b/y'],
      allowed: [
        [true, false],
        [true, true],
      ],
    };
    expect(tips(matrix)).toEqual([
      '#ced4da a/x',
      '#e9ecef a/x -&gt; b/y: 0 of 1',
      '#2f9e62 b/y -&gt; a/x: 1 of 1',
      '#ced4da b/y',
    ]);
    expect(matrixSvg(matrix, options)).toContain('on &lt;80&gt;');
  });

  test('marks what was not as predicted', () => {
    const all = [
      [true, true],
      [true, true],
    ];
    const matrix = {
      pods: ['a/x', 'b/y'],
      allowed: all,
      predicted: [
        [true, false],
        [true, true],
      ],
    };
    expect(tips(matrix)[1]).toBe('#d6336c a/x -&gt; b/y: 1 of 1, 1 not as predicted');
  });

  test('tells many pods by workload: all, some or none', () => {
    const pods = ['web', 'db'].flatMap((name) => Array.from({ length: 25 }, (_, index) => `a/${name}-${index}`));
    // Webs reach all but the first db; dbs reach nobody.
    const allowed = pods.map((from) => pods.map((to) => from.startsWith('a/web') && to !== 'a/db-0'));
    expect(tips({ pods, allowed })).toEqual([
      '#e9ecef a/db -&gt; a/db: 0 of 600',
      '#e9ecef a/db -&gt; a/web: 0 of 625',
      '#f0b429 a/web -&gt; a/db: 600 of 625',
      '#2f9e62 a/web -&gt; a/web: 600 of 600',
    ]);
  });
});

test('matrixHtml is a page around it', () => {
  const html = matrixHtml({ pods: ['a/x'], allowed: [[true]] }, options);
  expect(html).toMatch(/^<!doctype html>\n<html lang="en">\n<head>.*<title>on &lt;80&gt;<\/title>/);
  expect(html).toContain('1 of 1 pairs of 1 pods pass');
  expect(html).toMatch(/<svg [\s\S]*<\/svg>\n<\/body><\/html>$/);
});
