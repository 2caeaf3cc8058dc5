import { describe, expect, test } from 'vitest';
import type { LabQuestion } from '../../src/lab/lab-client.ts';
import { explainQuestion, predictQuestions } from '../../src/lab/lab-question.ts';
import { compile } from '../../src/table/compile.ts';
import { cluster } from '../builders/cluster.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';
import { service } from '../builders/service.ts';

const table = compile(
  cluster({
    pods: [
      pod({ name: 'client', labels: { app: 'client' }, ip: '10.1.0.1' }),
      pod({ name: 'friend', labels: { app: 'friend' }, ip: ['10.1.0.3', 'fd00::3'] }),
      pod({ name: 'web', labels: { app: 'web' }, ip: '10.1.0.2', ports: ['8080'] }),
      pod({ name: 'six', ip: 'fd00::6' }),
    ],
    services: [service({ name: 'web', ip: '10.96.0.1', pods: { app: 'web' }, ports: ['80:8080'] })],
    policies: [
      policy({ name: 'p', pods: { app: 'web' }, ingress: [{ from: [{ pods: { app: 'friend' } }], ports: ['8080'] }] }),
    ],
  }),
);

function question(from: string, to: string, port = 80, protocol = 'TCP'): LabQuestion {
  return { from, to, protocol, port };
}

describe('explainQuestion', () => {
  test('says which pod a Service leads to, and what is missing', () => {
    expect(explainQuestion(table, question('default/client', 'default/svc/web'))).toMatchObject({
      from: 'default/client',
      to: 'default/web',
      notes: ['Service default/web leads here to default/web port 8080'],
      verdict: 'deny',
      egress: { verdict: 'allow', isolated: false },
      ingress: { verdict: 'deny', policies: [{ name: 'p', rule: null }] },
      nearMisses: [
        {
          direction: 'ingress',
          name: 'p',
          rule: 0,
          differences: [{ kind: 'label', actual: 'client', enough: 'friend' }],
        },
      ],
    });
  });

  test('has no near misses for what is allowed', () => {
    expect(explainQuestion(table, question('default/friend', 'default/web', 8080))).toMatchObject({
      verdict: 'allow',
      notes: [],
      nearMisses: [],
    });
  });
});

describe('predictQuestions', () => {
  test('answers in order', () => {
    const asked = [
      question('default/client', 'default/web', 8080),
      question('default/friend', 'default/web', 8080),
      question('default/friend', 'default/web', 8080, 'udp'),
      question('default/friend', 'default/svc/web'),
      question('fd00::3', 'default/six'),
      question('192.0.2.7', 'default/web', 8080),
    ];
    expect(predictQuestions(table, asked)).toEqual(['deny', 'allow', 'deny', 'allow', 'allow', 'deny']);
    expect(predictQuestions(table, [])).toEqual([]);
  });

  test('denies where no connection is possible', () => {
    expect(predictQuestions(table, [question('default/client', 'default/six')])).toEqual(['deny']);
  });
});

describe.each([
  ['explainQuestion', (asked: LabQuestion) => explainQuestion(table, asked)],
  ['predictQuestions', (asked: LabQuestion) => predictQuestions(table, [asked])],
])('%s refuses', (_, ask) => {
  test.each([
    ['an unknown pod', question('default/nobody', 'default/web'), /no pod default\/nobody/],
    ['what is no endpoint', question('default/client', 'web'), /did you mean default\/web/],
    ['what is no port', question('default/client', 'default/web', 0), /0\/TCP is no port/],
    ['what is no protocol', question('default/client', 'default/web', 80, 'ICMP'), /80\/ICMP is no port/],
  ])('%s', (__, asked, message) => {
    expect(() => ask(asked)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringMatching(message) as string }) as Error,
    );
  });
});
