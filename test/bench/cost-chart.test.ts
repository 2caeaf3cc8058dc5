import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { costChart, type ChartFigures } from '../../src/bench/cost-chart.ts';

const FIGURES = new URL('../../src/bench/figures/table.json', import.meta.url);

/** What `netpol-lab bench table -o json` has printed. */
const recorded = JSON.parse(readFileSync(FIGURES, 'utf8')) as { readonly figures: readonly ChartFigures[] };

test("the README's chart is that of the recorded figures", async () => {
  await expect(costChart(recorded.figures)).toMatchFileSnapshot('../../src/bench/figures/cost.svg');
});

test('a point lies where its value says, by powers of ten', () => {
  const chart = costChart([
    { scale: 'S', random: { median: 10 }, reference: { median: 1000 } },
    { scale: 'XL', random: { median: 100 }, reference: { median: 100_000 } },
  ]);
  const points = [...chart.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
  // Four decades from 300 up to 40: 65 pixels each.
  expect(points).toEqual([
    [90, 170],
    [550, 40],
    [90, 300],
    [550, 235],
  ]);
});

test('one scale alone makes a chart without a number that is none', () => {
  expect(costChart([{ scale: 'M', random: { median: 25 }, reference: { median: 25 } }])).not.toMatch(/NaN|Infinity/);
});
