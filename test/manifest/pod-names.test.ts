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

describe('a resolver', () => {
  const CONFIG =
    '{nameservers: [10.0.0.1], searches: [a.example, b.], options: [{name: ndots, value: "2"}, {name: edns0}]}';
  const own = {
    nameServers: ['10.0.0.1'],
    searches: ['a.example', 'b.'],
    options: [
      { name: 'ndots', value: '2' },
      { name: 'edns0', value: '' },
    ],
  };

  test.each([
    ['hostname: p', { ofCluster: true, nameServers: [], searches: [], options: [] }],
    ['dnsPolicy: ClusterFirst, dnsConfig: {}', { ofCluster: true, nameServers: [], searches: [], options: [] }],
    [`dnsConfig: ${CONFIG}`, { ofCluster: true, ...own }],
    [`dnsPolicy: None, dnsConfig: ${CONFIG}`, { ofCluster: false, ...own }],
  ])('%s', (fields, resolver) => {
    expect(load(written(fields)).cluster.pods[0]?.resolver).toEqual(resolver);
  });

  test.each([
    ['dnsPolicy: Some', 'spec.dnsPolicy: Unsupported value: "Some"'],
    ['dnsPolicy: None', 'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    [
      'dnsPolicy: None, dnsConfig: {searches: [a]}',
      'spec.dnsConfig.nameservers: Required value: must provide at least',
    ],
    ['dnsConfig: {nameservers: [a]}', 'spec.dnsConfig.nameservers[0]: Invalid value: "a": must be a valid IP address'],
    ['dnsConfig: {searches: [a, "b c"]}', 'spec.dnsConfig.searches[1]: Invalid value: "b c": a lowercase RFC 1123'],
    ['dnsConfig: {options: [{value: a}]}', 'spec.dnsConfig.options[0]: Required value: must not be empty'],
  ])('%s is refused', (fields, message) => {
    expect(shortly(issuesOf(written(fields)))[0]).toContain(message);
  });
});
