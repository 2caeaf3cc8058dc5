import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { lintTexts } from './lint-fixture.ts';

const LABS = fileURLToPath(new URL('../../labs', import.meta.url));

test("the Kubernetes documentation's examples have the one mistake that they have", () => {
  const text = readFileSync(new URL('kubernetes-docs.yaml', import.meta.url), 'utf8');
  const found = lintTexts([text]).map(({ rule, severity, name }) => `${rule} ${severity} ${name}`);
  // egress-namespaces leaves its pods without a name server; the two items of test-network-policy are meant as two.
  expect(found.sort()).toEqual([
    'and-or-dash info test-network-policy',
    'egress-without-dns warning egress-namespaces',
  ]);
});

test.each(['default-deny', 'default-deny-all', 'dns-egress'])(
  'the policies of lab %s together give no warning',
  (lab) => {
    const files = readdirSync(join(LABS, lab)).filter((name) => name.endsWith('.yaml') && name !== 'lab.yaml');
    const found = lintTexts(files.map((name) => readFileSync(join(LABS, lab, name), 'utf8')));
    expect(found.filter(({ severity }) => severity === 'warning')).toEqual([]);
  },
);
