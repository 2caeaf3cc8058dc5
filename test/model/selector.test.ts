import { describe, expect, test } from 'vitest';
import { EVERYTHING, selects, selectorText } from '../../src/model/selector.ts';
import { labels, selector, type SelectorNotation } from '../builders/selector.ts';

const web = { app: 'web', tier: '' };

describe('selects, of app=web and an empty tier,', () => {
  test.each<[string, SelectorNotation, boolean]>([
    ['nothing asked', {}, true],
    ['an equal label', { app: 'web' }, true],
    ['another value', { app: 'db' }, false],
    ['a value in other letters', { app: 'Web' }, false],
    ['an absent key', { zone: 'a' }, false],
    ['two labels of which one differs', { app: 'web', tier: 'front' }, false],
    ['an empty value', { tier: '' }, true],
    ['an absent key is not an empty value', { zone: '' }, false],
    ['In', [['app', 'In', 'db', 'web']], true],
    ['In without the value', [['app', 'In', 'db']], false],
    ['In of an absent key', [['zone', 'In', 'a', '']], false],
    ['NotIn', [['app', 'NotIn', 'db']], true],
    ['NotIn with the value', [['app', 'NotIn', 'db', 'web']], false],
    ['NotIn of an absent key', [['zone', 'NotIn', 'a']], true],
    ['Exists', [['app', 'Exists']], true],
    ['Exists with an empty value', [['tier', 'Exists']], true],
    ['Exists of an absent key', [['zone', 'Exists']], false],
    ['DoesNotExist', [['zone', 'DoesNotExist']], true],
    ['DoesNotExist of a key with an empty value', [['tier', 'DoesNotExist']], false],
    ['the same key twice', [['app', 'Exists'], ['app', 'NotIn', 'web']], false], // prettier-ignore
    ['a key of Object.prototype', [['toString', 'Exists']], false],
  ])('%s: %j: %s', (_, notation, want) => {
    expect(selects(selector(notation), labels(web))).toBe(want);
  });

  test('EVERYTHING selects what has no labels', () => {
    expect(selects(EVERYTHING, labels({}))).toBe(true);
  });
});

describe('selectorText writes', () => {
  test.each<[SelectorNotation, string]>([
    [{}, ''],
    [{ app: 'web' }, 'app=web'],
    [{ app: 'web', tier: 'a' }, 'app=web,tier=a'],
    [[['tier', 'In', 'b', 'a']], 'tier in (a,b)'],
    [[['tier', 'NotIn', 'a']], 'tier!=a'],
    [[['tier', 'NotIn', 'b', 'a']], 'tier notin (a,b)'],
    [[['app', 'Exists'], ['old', 'DoesNotExist']], 'app,!old'], // prettier-ignore
  ])('%j as %j', (notation, want) => {
    expect(selectorText(selector(notation))).toBe(want);
  });

  test('leaves the order of the values as it was', () => {
    const written = selector([['tier', 'In', 'b', 'a']]);
    selectorText(written);
    expect(written.requirements[0]?.values).toEqual(['b', 'a']);
  });
});
