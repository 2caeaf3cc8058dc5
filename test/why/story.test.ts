import { expect, test } from 'vitest';
import type { FlowEvent } from '../../src/flows/flow-event.ts';
import { verdictReport } from '../../src/report/verdict-report.ts';
import { verdictIn } from '../../src/table/cluster-verdict.ts';
import { connectionNow, lastDenial, tellStory, type Story } from '../../src/why/story.ts';
import { storyText } from '../../src/why/story-text.ts';
import { connection } from '../builders/connection.ts';
import { given } from '../builders/given.ts';
import { flow as event } from '../lab/lab-double.ts';
import { clusterOf, podsFile, policyFile } from './why-fixture.ts';

const STYLE = {
  color: false,
  command: 'netpol-lab why client',
  applyCommand: 'netpol-lab apply',
  isProven: false,
};
const RULES = Array.from({ length: 20 }, (_, index) => {
  return `- from:\n  - podSelector: { matchLabels: { app: other-${index} } }`;
});
const LONG = policyFile('long', `podSelector: { matchLabels: { app: web } }\ningress:\n${RULES.join('\n')}`);

/** The story of client's connection to web under these policies. */
function story(port: string, policies: Parameters<typeof clusterOf>[0], isOwn = true): Story {
  const { cluster, manifests } = clusterOf([podsFile('client', 'web'), ...policies]);
  const [client, web] = cluster.pods;
  const tried = connection(given(client, 'a client'), given(web, 'a server'), port);
  const report = verdictReport(verdictIn(cluster, tried));
  const own = manifests.map((manifest) => ({ ...manifest, isOwn }));
  const flow = { ...event({ at: 0, from: 'default/client' }), ...report, protocol: tried.transport, port: tried.port };
  return tellStory({ flow, cluster, connection: tried, manifests: own, report, enforced: (one) => one });
}

test('of a long policy the head and what is around a decisive line are quoted', () => {
  const { policies } = story('80', [LONG]);
  const numbers = policies[0]?.lines.map(({ number }) => number) ?? [];
  expect(numbers.slice(0, 6)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(policies[0]?.lines.filter(({ remarks }) => remarks.length > 0)).toHaveLength(20);
  const typo = policyFile(
    'long',
    LONG.text.split('spec:\n')[1]?.replaceAll(/^ {2}/gm, '').replace('other-19', 'clients') ?? '',
  );
  const filler = typo.text.replace('  ingress:\n', `  ingress:\n${'  # nothing\n'.repeat(40)}`);
  const text = storyText(story('80', [{ ...typo, text: filler }]), STYLE);
  expect(text).toMatch(/\n +6 {2}.*\n/);
  expect(text).toContain('\n        …\n');
  expect(text).toMatch(
    /\n> +\d+ {2} +- podSelector: .*clients.*\n +\^ ingress\[19\]: default\/client has app=client, rule wants app=clients\n/,
  );
});

test('says how to go on: by a patch of the file, or by what is to be applied', () => {
  const own = storyText(story('80', [LONG]), STYLE);
  expect(own).toContain('to apply it: netpol-lab why client -o patch | patch -p0 && netpol-lab apply -f long.yaml\n');
  expect(own).toMatch(/to try it: {3}netpol-lab why client --prove$/);
  const foreign = storyText(story('80', [LONG], false), { ...STYLE, isProven: true });
  expect(foreign).toContain('default/long isolates ingress, as the lab has it, in no file here:');
  expect(foreign).toMatch(/to apply it: netpol-lab why client -o patch \| netpol-lab apply -f -$/);
});

test('a ping is allowed by a rule that names no ports', () => {
  const { remedy, flow } = story('ICMP', [
    policyFile('web', 'podSelector: { matchLabels: { app: web } }\ningress:\n- ports:\n  - port: 80'),
  ]);
  expect(flow.protocol).toBe('ICMP');
  const rule = '  - from:\n    - podSelector:\n        matchLabels:\n          app: client\n';
  expect(remedy?.changes.map(({ after }) => after.slice(-rule.length))).toEqual([rule]);
});

test('what is allowed by now has no change', () => {
  const told = story('80', []);
  expect({ policies: told.policies, remedy: told.remedy }).toEqual({ policies: [], remedy: undefined });
  expect(storyText(told, STYLE)).toContain('allowed now: policies, labels or pods have changed since\n');
});

test('the last denial is that of who is meant, at either end, and no end of a connection', () => {
  const denied = (from: string, rest: Partial<Omit<FlowEvent, 'from'>> = {}) =>
    event({ at: 0, from, verdict: 'deny', ...rest });
  const carried = { durationMs: 1, sentBytes: 1, receivedBytes: 1, datagrams: 0, end: 'cut' } as const;
  const flows = [denied('a/one'), denied('a/two'), event({ at: 0, from: 'a/one' }), denied('a/one', { carried })];
  expect(lastDenial(flows, () => true)).toBe(flows[1]);
  expect(lastDenial(flows, ({ name }) => name === 'a/one')).toBe(flows[0]);
  expect(lastDenial(flows, ({ name }) => name === 'default/web')).toBe(flows[1]);
  expect(lastDenial(flows, ({ name }) => name === 'a/three')).toBeUndefined();
});

test('pods are dialled at the address that they have now, unless they are gone', () => {
  const { cluster } = clusterOf([podsFile('client', 'web')]);
  const flow = event({ at: 0, from: 'default/client' }); // from 10.244.0.5, which it has no more
  expect(connectionNow(cluster, flow)).toMatchObject({
    source: { text: '10.244.0.2' },
    destination: { text: '10.244.0.3' },
  });
  expect(connectionNow(cluster, event({ at: 0, from: 'default/gone' }))).toEqual({ gone: 'default/gone' });
  const outside = { ...flow, from: { name: 'api.example.com', address: '192.0.2.1' } };
  expect(connectionNow(cluster, outside)).toMatchObject({ source: { text: '192.0.2.1' } });
});
