import { describe, expect, test } from 'vitest';
import type { NearMiss } from '../../src/model/near-miss.ts';
import type { DirectionVerdict, Verdict } from '../../src/model/verdict.ts';
import { verdictOf } from '../../src/model/verdict.ts';
import type { Explanation } from '../../src/report/explanation.ts';
import { flowLine } from '../../src/report/flow-line.ts';
import { verdictReport } from '../../src/report/verdict-report.ts';
import { explanationText, reasonText } from '../../src/report/verdict-text.ts';
import { given } from '../builders/given.ts';
import { policy } from '../builders/policy.ts';

const denyAll = policy({ name: 'deny-all', ingress: [], egress: [] });
const allowApp = policy({ name: 'allow-app', ingress: [{}, {}], egress: [{}] });

const open: DirectionVerdict = { kind: 'not-isolated' };
const closed: DirectionVerdict = { kind: 'no-rule', policies: [denyAll, allowApp] };
const byRule: DirectionVerdict = {
  kind: 'rules',
  matches: [{ policy: allowApp, rule: { ...rule(1), source: { file: 'allow.yaml', line: 12 } } }],
};

function rule(index: number) {
  const side = allowApp.ingress;
  return given(side.kind === 'isolates' ? side.rules[index] : undefined, `rule ${index}`);
}

describe('verdictReport', () => {
  const isolating = (name: string) => ({
    namespace: 'default',
    name,
    rule: null,
    file: `default-${name}.yaml`,
    line: 1,
  });
  const allowing = { namespace: 'default', name: 'allow-app', rule: 1, file: 'allow.yaml', line: 12 };

  test.each<[string, DirectionVerdict, object]>([
    ['no policy', open, { verdict: 'allow', isolated: false, policies: [] }],
    ['a pod with itself', { kind: 'itself' }, { verdict: 'allow', isolated: true, policies: [] }],
    ['the own node', { kind: 'node' }, { verdict: 'allow', isolated: true, policies: [] }],
    ['a rule, at its line', byRule, { verdict: 'allow', isolated: true, policies: [allowing] }],
    [
      'no rule, all that isolate',
      closed,
      { verdict: 'deny', isolated: true, policies: [isolating('deny-all'), isolating('allow-app')] },
    ],
  ])('reports %s', (_, verdict, want) => {
    expect(verdictReport(verdictOf({ egress: verdict, ingress: open })).egress).toEqual(want);
    expect(verdictReport(verdictOf({ egress: open, ingress: verdict })).ingress).toEqual(want);
  });

  test.each<[string, DirectionVerdict, DirectionVerdict, string]>([
    ['both allow', open, byRule, 'allow'],
    ['egress denies', closed, open, 'deny'],
    ['ingress denies', open, closed, 'deny'],
  ])('sums up where %s', (_, egress, ingress, want) => {
    expect(verdictReport(verdictOf({ egress, ingress })).verdict).toBe(want);
  });
});

describe('explanationText', () => {
  const asked = { from: 'default/client', to: 'default/svc/web', protocol: 'TCP', port: 80 };
  const explained = (verdict: Verdict, rest: Partial<Explanation> = {}): Explanation => ({
    ...{ from: 'default/client', to: 'default/web', notes: [], nearMisses: [] },
    ...verdictReport(verdict),
    ...rest,
  });
  const miss = (direction: 'egress' | 'ingress', rule: number | null, ...texts: string[]): NearMiss => ({
    ...{ direction, namespace: 'default', name: 'allow-app', rule, file: 'allow.yaml', line: 9 },
    differences: texts.map((text) => ({ kind: 'no-rules', text })),
  });

  test('names policies, rules and lines, and the pod behind a Service', () => {
    const explanation = explained(verdictOf({ egress: closed, ingress: byRule }), { notes: ['a note'] });
    expect(explanationText(asked, explanation, false)).toBe(
      [
        'denied: default/client -> default/svc/web 80/TCP',
        '  egress of default/client: denied: isolated by default/deny-all (default-deny-all.yaml:1) and default/allow-app (default-allow-app.yaml:1), no rule matches',
        '  ingress of default/web: allowed: by default/allow-app ingress[1] (allow.yaml:12)',
        '  a note',
      ].join('\n'),
    );
  });

  test('shows the nearest three misses under their direction', () => {
    const nearMisses = [
      miss('ingress', 2, 'one'),
      miss('egress', 0, 'other side'),
      ...['two', 'three', 'four', 'five'].map((text) => miss('ingress', 1, text, 'more')),
    ];
    const text = explanationText(
      asked,
      explained(verdictOf({ egress: closed, ingress: closed }), { nearMisses }),
      false,
    );
    expect(text.split('\n').filter((line) => !/^(?:denied| {2}(?:in|e)gress)/.test(line))).toEqual([
      '    default/allow-app egress[0] (allow.yaml:9): other side',
      '    default/allow-app ingress[2] (allow.yaml:9): one',
      '    default/allow-app ingress[1] (allow.yaml:9): 2 differences: (1) two (2) more',
      '    default/allow-app ingress[1] (allow.yaml:9): 2 differences: (1) three (2) more',
      '    and 2 more',
    ]);
  });

  test('colours only if told to', () => {
    const explanation = explained(verdictOf({ egress: open, ingress: open }));
    expect(explanationText(asked, explanation, true)).toContain('\x1b[32mallowed\x1b[0m');
    expect(explanationText(asked, explanation, false)).not.toContain('\x1b');
  });

  test('lets no name steer the terminal', () => {
    const evil = policy({ name: 'a\x1b[2Jb', ingress: [] });
    const explanation = explained(verdictOf({ egress: open, ingress: { kind: 'no-rule', policies: [evil] } }), {
      ...{ from: 'z\x1b[2J', notes: ['\x1b]0;t\x07'], nearMisses: [miss('ingress', null, 'a\nb\x1b')] },
    });
    const text = explanationText({ ...asked, from: 'x\x07\n\x9by' }, explanation, false);

    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
    expect(text.split('\n')).toHaveLength(5);
  });
});

describe('reasonText', () => {
  test.each<[string, DirectionVerdict, DirectionVerdict, string]>([
    ['nothing isolates', open, open, 'no policy isolates either end'],
    ['a rule allows', open, byRule, 'ingress allowed: by default/allow-app ingress[1] (allow.yaml:12)'],
    [
      'one side denies, that side only',
      byRule,
      { kind: 'no-rule', policies: [denyAll] },
      'ingress denied: isolated by default/deny-all (default-deny-all.yaml:1), no rule matches',
    ],
  ])('says why where %s', (_, egress, ingress, want) => {
    expect(reasonText(verdictReport(verdictOf({ egress, ingress })))).toBe(want);
  });
});

describe('flowLine', () => {
  const event = {
    ...verdictReport(verdictOf({ egress: open, ingress: open })),
    time: '2026-01-02T03:04:05.678Z',
    from: { name: 'default/client', address: '10.244.0.2' },
    to: { name: 'default/web', address: '10.244.0.3' },
    protocol: 'TCP',
    sourcePort: 40000,
    port: 80,
  } as const;
  const reason = '  no policy isolates either end';

  test.each([
    ['TCP', event, `TCP  default/client (10.244.0.2:40000) -> default/web (10.244.0.3:80)${reason}`],
    [
      'IPv6',
      { ...event, to: { name: '', address: 'fd00::3' } },
      `TCP  default/client (10.244.0.2:40000) -> [fd00::3]:80${reason}`,
    ],
    [
      'ICMP',
      { ...event, protocol: 'ICMP', sourcePort: 0, port: 0 } as const,
      `ICMP default/client (10.244.0.2) -> default/web (10.244.0.3)${reason}`,
    ],
  ])('shows %s', (_, flow, want) => {
    expect(flowLine(flow, false)).toBe(`03:04:05.678 allowed ${want}`);
  });
});
