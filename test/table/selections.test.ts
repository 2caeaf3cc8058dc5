import { expect, test } from 'vitest';
import { selects } from '../../src/model/selector.ts';
import { Identities } from '../../src/table/identities.ts';
import { Selections } from '../../src/table/selections.ts';
import type { Identity } from '../../src/table/table-state.ts';
import { pod } from '../builders/pod.ts';
import { selector, type SelectorNotation } from '../builders/selector.ts';

const SETS: readonly Readonly<Record<string, string>>[] = [
  {},
  { app: 'web' },
  { app: 'db' },
  { app: 'web', tier: 'front' },
  { app: '', tier: 'back' },
  { tier: 'front' },
];

const CASES: readonly (readonly [name: string, selector: SelectorNotation, want: number[]])[] = [
  ['everything', {}, [0, 1, 2, 3, 4, 5]],
  ['a label', { app: 'web' }, [1, 3]],
  ['two labels', { app: 'web', tier: 'front' }, [3]],
  ['a value that none has', { app: 'mail' }, []],
  ['a key that none has', { zone: 'a' }, []],
  ['the empty value', { app: '' }, [4]],
  ['In', [['app', 'In', 'web', 'db']], [1, 2, 3]],
  ['In with a value twice', [['app', 'In', 'web', 'web']], [1, 3]],
  ['NotIn', [['app', 'NotIn', 'web', 'db']], [0, 4, 5]],
  ['Exists', [['tier', 'Exists']], [3, 4, 5]],
  ['DoesNotExist', [['tier', 'DoesNotExist']], [0, 1, 2]],
  [
    'the rarer of two',
    [
      ['app', 'Exists'],
      ['tier', 'In', 'front'],
    ],
    [3],
  ],
  [
    'contradictory',
    [
      ['app', 'Exists'],
      ['app', 'DoesNotExist'],
    ],
    [],
  ],
];

const made = new Identities();
const identities = SETS.map((labels) => made.acquire(pod({ labels, ip: '10.0.0.1' }), true, () => undefined));

test.each(CASES)('%s', (_, notation, want) => {
  const before = new Selections();
  for (const identity of identities) before.add(identity);
  const after = new Selections();
  const late = after.own('default', selector(notation));
  for (const identity of identities) after.add(identity);
  expect(indices(before.own('default', selector(notation)).members)).toEqual(want);
  expect(indices(late.members)).toEqual(want);
  expect(indices(before.own('other', selector(notation)).members)).toEqual([]);
  expect(want).toEqual(indices(identities.filter(({ labels }) => selects(selector(notation), labels))));
});

test('an identity that is removed is in no selection', () => {
  const selections = new Selections();
  for (const identity of identities) selections.add(identity);
  const selection = selections.own('default', selector({ app: 'web' }));
  for (const identity of identities.slice(1, 2)) selections.remove(identity);
  expect(indices(selection.members)).toEqual([3]);
  expect(indices(selections.own('default', selector({ tier: 'front', app: 'web' })).members)).toEqual([3]);
});

function indices(members: Iterable<Identity>): number[] {
  return [...members].map((member) => identities.indexOf(member)).sort((one, other) => one - other);
}
