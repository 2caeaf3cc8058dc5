import { describe, expect, test } from 'vitest';
import type { DirectionVerdict } from '../../src/model/verdict.ts';
import { verdictOf } from '../../src/model/verdict.ts';
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
  const ends = { from: 'default/client', to: 'default/web', protocol: 'TCP', port: 80 };

  test('names policies, rules and lines', () => {
    const report = verdictReport(verdictOf({ egress: closed, ingress: byRule }));
    expect(explanationText({ ...ends, notes: ['a note'], report }, false)).toBe(
      [
        'denied: default/client -> default/web 80/TCP',
        '  egress of default/client: denied: isolated by default/deny-all (default-deny-all.yaml:1) and default/allow-app (default-allow-app.yaml:1), no rule matches',
        '  ingress of default/web: allowed: by default/allow-app ingress[1] (allow.yaml:12)',
        '  a note',
      ].join('\n'),
    );
  });

  test('colours only if told to', () => {
    const report = verdictReport(verdictOf({ egress: open, ingress: open }));
    expect(explanationText({ ...ends, notes: [], report }, true)).toContain('\x1b[32mallowed\x1b[0m');
    expect(explanationText({ ...ends, notes: [], report }, false)).not.toContain('\x1b');
  });

  test('lets no name steer the terminal', () => {
    const evil = policy({ name: 'a\x1b[2Jb', ingress: [] });
    const report = verdictReport(verdictOf({ egress: open, ingress: { kind: 'no-rule', policies: [evil] } }));
    const text = explanationText({ ...ends, from: 'x\x07\n\x9by', notes: ['\x1b]0;t\x07'], report }, false);

    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
    expect(text.split('\n')).toHaveLength(4);
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
