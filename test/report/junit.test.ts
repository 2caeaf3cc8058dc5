import { expect, test } from 'vitest';
import { junitXml } from '../../src/report/junit.ts';

test('suites are XML that holds what texts may hold', () => {
  const nasty = 'a<b>&"c"\u0000\u001b[31m\ud800\n\u009fd';
  const cases = [
    { name: 'a -> b', file: 'e.yaml', line: 3, failures: [] },
    { name: nasty, file: 'e.yaml', line: 4, failures: ['first\nline', 'second'] },
  ];
  expect(junitXml([{ name: 'x', seconds: 1.5, cases }])).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="x" tests="2" failures="1" errors="0" time="1.500">
    <testcase name="a -&gt; b" classname="x" file="e.yaml" line="3" />
    <testcase name="a&lt;b&gt;&amp;&quot;c&quot;[31m d" classname="x" file="e.yaml" line="4">
      <failure message="first line">first
line
second</failure>
    </testcase>
  </testsuite>
</testsuites>`);
});
