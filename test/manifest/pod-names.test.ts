import { describe, expect, test } from 'vitest';
import { issuesOf, load, pod, shortly } from './builders.ts';

/** A pod whose spec has these fields, in flow style, beside its containers. */
function written(fields: string): string {
  return pod('p').replace(/}}\n$/, `, ${fields}}}\n`);
}

describe('host aliases', () => {
  test('are read', () => {
    const [built] = load(written('hostAliases: [{ip: 10.0.0.1, hostnames: [a.example, b]}, {ip: "fd00::1"}]')).cluster
      .pods;
    expect(built?.hostAliases).toEqual([
      { ip: '10.0.0.1', hostnames: ['a.example', 'b'] },
      { ip: 'fd00::1', hostnames: [] },
    ]);
  });

  test.each([
    ['{hostnames: [a]}', 'ip: Invalid value: "": must be a valid IP address'],
    ['{ip: a, hostnames: [a]}', 'ip: Invalid value: "a": must be a valid IP address'],
    ['{ip: 10.0.0.1, hostnames: [a, "b c"]}', 'hostnames[1]: Invalid value: "b c": a lowercase RFC 1123 subdomain'],
  ])('%s is refused', (alias, message) => {
    const [issue = ''] = shortly(issuesOf(written(`hostAliases: [${alias}]`)));
    expect(issue).toContain(`spec.hostAliases[0].${message}`);
  });
});
