import { describe, expect, test } from 'vitest';
import { placeOf } from '../../src/cli/exec.ts';
import { labelChanges } from '../../src/cli/label.ts';
import { parseLabelSelector } from '../../src/cli/label-selector.ts';
import { textLines } from '../../src/cli/text-lines.ts';
import { LabError } from '../../src/model/lab-error.ts';
import { kindNamed } from '../../src/model/kind-names.ts';
import { nearestName } from '../../src/model/nearest-name.ts';
import { selectorText } from '../../src/model/selector.ts';

describe('parseLabelSelector', () => {
  test.each([
    ['', ''],
    ['app=web', 'app=web'],
    ['app==web', 'app=web'],
    ['app = web , tier != db', 'app=web,tier!=db'],
    ['app=', 'app='],
    ['env in (b, a),app', 'env in (a,b),app'],
    ['env notin (a,b)', 'env notin (a,b)'],
    ['!legacy', '!legacy'],
    ['! legacy', '!legacy'],
    ['example.com/team=a.b_c-d', 'example.com/team=a.b_c-d'],
  ])('reads "%s"', (text, want) => {
    expect(selectorText(parseLabelSelector(text))).toBe(want);
  });

  test.each(['=', 'app=a=b', 'app in a', 'app in (a', 'app=web,', 'a b', '!', 'app=we b', '-app', 'app=-', '/app'])(
    'does not take "%s"',
    (text) => {
      expect(() => parseLabelSelector(text)).toThrow(LabError);
    },
  );
});

describe('labelChanges', () => {
  test('sets and removes', () => {
    expect(labelChanges(['a=1', 'b=', 'c-', 'd=x=y', 'e-f=g-'])).toEqual({
      a: '1',
      b: '',
      c: null,
      d: 'x=y',
      'e-f': 'g-',
    });
  });

  test.each([['a'], ['=1'], ['-'], ['a=1', 'a-']])('does not take %s', (...texts) => {
    expect(() => labelChanges(texts)).toThrow(LabError);
  });
});

describe('placeOf', () => {
  test.each<[string, string | undefined, string, string]>([
    ['web', undefined, 'default', 'web'],
    ['web', 'shop', 'shop', 'web'],
    ['deploy/web', 'shop', 'shop', 'deploy/web'],
    ['shop/web', undefined, 'shop', 'web'],
    ['shop/deploy/web', undefined, 'shop', 'deploy/web'],
    ['shop/web', 'shop', 'shop', 'web'],
  ])('reads %s with -n %s', (text, given, namespace, pod) => {
    expect(placeOf(text, given)).toEqual({ namespace, pod });
  });

  test('takes no two namespaces', () => {
    expect(() => placeOf('shop/web', 'other')).toThrow(/two namespaces/);
  });
});

describe('kindNamed', () => {
  test.each([
    ['netpol', 'NetworkPolicy'],
    ['networkpolicies.networking.k8s.io', 'NetworkPolicy'],
    ['NetworkPolicy', 'NetworkPolicy'],
    ['po', 'Pod'],
    ['ns', 'Namespace'],
    ['svc', 'Service'],
    ['gadget', undefined],
    ['', undefined],
  ])('knows %s as %s', (text, want) => {
    expect(kindNamed(text)?.kind).toBe(want);
  });
});

describe('nearestName', () => {
  test.each([
    ['wbe', ['api', 'web'], 'web'],
    ['wbe', ['wbx', 'web'], 'wbx'],
    ['default/clinet', ['default/client', 'default/web'], 'default/client'],
    ['a', ['zzz'], undefined],
    ['web', [], undefined],
  ])('of %s among %j is %s', (wanted, names, want) => {
    expect(nearestName(wanted, names)).toBe(want);
  });
});

describe('textLines', () => {
  const linesOf = async (...pieces: string[]): Promise<string[]> => {
    async function* source(): AsyncGenerator<string> {
      for (const piece of pieces) yield await Promise.resolve(piece);
    }
    return (await Array.fromAsync(textLines(source()))).flat();
  };

  test.each([
    ['whole lines', ['a\nb\n'], ['a', 'b']],
    ['a last line without an end', ['a\nb'], ['a', 'b']],
    ['a line in pieces', ['a', 'b', 'c\nd', '\n'], ['abc', 'd']],
    ['empty lines', ['\n\na\n'], ['', '', 'a']],
    ['nothing', [''], []],
  ])('are %s', async (_, pieces, want) => {
    expect(await linesOf(...pieces)).toEqual(want);
  });

  test('end at a line that is too long, however it comes', async () => {
    await expect(linesOf('a\n', 'x'.repeat(1 << 21))).rejects.toThrow(/longer than a million/);
    await expect(linesOf('a\n', 'x'.repeat(1 << 19), 'x'.repeat(1 << 20))).rejects.toThrow(/longer than a million/);
  });
});
