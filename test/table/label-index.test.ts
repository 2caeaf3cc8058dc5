import { expect, test } from 'vitest';
import { selects } from '../../src/model/selector.ts';
import { LabelIndex } from '../../src/table/label-index.ts';
import { labels, selector, type SelectorNotation } from '../builders/selector.ts';

const SETS = new Map(
  [{}, { app: 'web' }, { app: 'db' }, { app: 'web', tier: 'front' }, { app: '', tier: 'back' }, { tier: 'front' }].map(
    (pairs, index) => [index * 10, labels(pairs)],
  ),
);

test.each<[name: string, selector: SelectorNotation, want: number[]]>([
  ['everything', {}, [0, 10, 20, 30, 40, 50]],
  ['a label', { app: 'web' }, [10, 30]],
  ['two labels', { app: 'web', tier: 'front' }, [30]],
  ['a value that none has', { app: 'mail' }, []],
  ['a key that none has', { zone: 'a' }, []],
  ['the empty value', { app: '' }, [40]],
  ['In', [['app', 'In', 'web', 'db']], [10, 20, 30]],
  ['In with a value twice', [['app', 'In', 'web', 'web']], [10, 30]],
  ['NotIn', [['app', 'NotIn', 'web', 'db']], [0, 40, 50]],
  ['Exists', [['tier', 'Exists']], [30, 40, 50]],
  ['DoesNotExist', [['tier', 'DoesNotExist']], [0, 10, 20]],
  [
    'the rarer of two first or last',
    [
      ['app', 'Exists'],
      ['tier', 'In', 'front'],
    ],
    [30],
  ],
  [
    'contradictory',
    [
      ['app', 'Exists'],
      ['app', 'DoesNotExist'],
    ],
    [],
  ],
])('%s', (_, notation, want) => {
  const index = new LabelIndex(SETS);
  const found = (): number[] => [...index.select(selector(notation))].sort((one, other) => one - other);
  expect(found()).toEqual(want);
  expect(found()).toEqual(want); // from memory
  expect(want).toEqual([...SETS].filter(([, set]) => selects(selector(notation), set)).map(([id]) => id));
});
