import { describe, expect, test } from 'vitest';
import { differences, matrixCsv, matrixText, type Matrix } from '../../src/report/matrix.ts';

const pods = ['default/a', 'default/long'];
const allowed = [
  [true, false],
  [true, true],
];
const plain: Matrix = { pods, allowed };
const asPredicted: Matrix = { pods, allowed, predicted: allowed };
const unlike: Matrix = {
  pods,
  allowed,
  predicted: [
    [true, true],
    [false, true],
  ],
};

describe('differences', () => {
  test.each<[string, Matrix, object[]]>([
    ['none without a prediction', plain, []],
    ['none where all is as predicted', asPredicted, []],
    [
      'each cell that is not as predicted',
      unlike,
      [
        { from: 'default/a', to: 'default/long', allowed: false },
        { from: 'default/long', to: 'default/a', allowed: true },
      ],
    ],
  ])('are %s', (_, matrix, want) => {
    expect(differences(matrix)).toEqual(want);
  });
});

describe('matrixText', () => {
  const text = (matrix: Matrix) => matrixText(matrix, { title: 'on 80/TCP', color: false }).split('\n');

  test('numbers the columns like the rows', () => {
    expect(text(plain)).toEqual([
      'on 80/TCP',
      '               1 2',
      '1 default/a    x .',
      '2 default/long x x',
      'rows from, columns to; x passes (3 of 4), . does not',
    ]);
  });

  test('marks what was not as predicted, and says it in words', () => {
    expect(text(unlike).slice(2)).toEqual([
      '1 default/a    x !',
      '2 default/long ! x',
      'rows from, columns to; x passes (3 of 4), . does not; ! not as predicted (2)',
      'differs: default/a -> default/long: blocked, predicted otherwise',
      'differs: default/long -> default/a: passed, predicted otherwise',
    ]);
  });

  test('says so where all is as predicted', () => {
    expect(text(asPredicted).at(-1)).toMatch(/; all as predicted$/);
  });

  test('keeps columns in line with many pods', () => {
    const many = Array.from({ length: 120 }, (_, index) => `ns/pod-${index}`);
    const lines = text({ pods: many, allowed: many.map(() => many.map(() => true)) }).slice(1, -1);
    expect(lines).toHaveLength(121);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    expect(lines[0]).toMatch(/ 98 {2}99 100 101/);
  });

  test('has no rows without pods', () => {
    expect(text({ pods: [], allowed: [] }).at(-1)).toBe('rows from, columns to; x passes (0 of 0), . does not');
  });
});

test('matrixCsv has a header of destinations and a line a source', () => {
  expect(matrixCsv(plain)).toBe('from,default/a,default/long\ndefault/a,true,false\ndefault/long,true,true');
});

test('matrixCsv quotes what would break it', () => {
  expect(matrixCsv({ pods: ['a,"b"'], allowed: [[true]] })).toBe('from,"a,""b"""\n"a,""b""",true');
});
