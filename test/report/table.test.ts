import { describe, expect, test } from 'vitest';
import { ageText } from '../../src/model/age.ts';
import { printable, printableLine } from '../../src/report/printable.ts';
import { table } from '../../src/report/table.ts';

describe('table', () => {
  test('aligns columns, three spaces apart, and leaves the last one ragged', () => {
    expect(
      table([
        ['NAME', 'READY', 'AGE'],
        ['a', '1/1', '5s'],
        ['a-long-one', '0/1', '10m'],
      ]),
    ).toBe(['NAME         READY   AGE', 'a            1/1     5s', 'a-long-one   0/1     10m'].join('\n'));
  });

  test('keeps each cell on its line', () => {
    expect(table([['a\nb', 'c\x1b[1m']])).toBe('a b   c[1m');
  });
});

describe('printable', () => {
  test.each([
    ['an escape', 'a\x1b[31mb', 'a[31mb'],
    ['a bell and a backspace', 'a\x07\x08b', 'ab'],
    ['C1 controls', 'a\x9b31mb', 'a31mb'],
    ['a carriage return', 'a\rb', 'ab'],
    ['what turns text around', 'a\u202eb', 'ab'],
  ])('drops %s', (_, text, want) => {
    expect(printable(text)).toBe(want);
  });

  test('keeps lines, tabs and letters of any script', () => {
    expect(printable('a\n\tпод 豆 é')).toBe('a\n\tпод 豆 é');
    expect(printableLine('a\n\tb')).toBe('a b');
  });
});

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('ageText', () => {
  test.each([
    [-5, '0s'],
    [0, '0s'],
    [119 * SECOND, '119s'],
    [2 * MINUTE, '2m'],
    [3 * MINUTE + 20 * SECOND, '3m20s'],
    [15 * MINUTE + 20 * SECOND, '15m'],
    [179 * MINUTE, '179m'],
    [5 * HOUR + 10 * MINUTE, '5h10m'],
    [30 * HOUR, '30h'],
    [3 * DAY + 4 * HOUR, '3d4h'],
    [100 * DAY, '100d'],
    [2 * 365 * DAY, '2y'],
    [3 * 365 * DAY + 10 * DAY, '3y10d'],
  ])('shows %i ms as %s', (ms, want) => {
    expect(ageText(ms)).toBe(want);
  });
});
