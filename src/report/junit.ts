import { xmlAttribute as attribute, xmlText } from './xml.ts';

/** A suite of tests as CI systems read it. */
export interface JunitSuite {
  readonly name: string;
  readonly seconds: number;
  readonly cases: readonly JunitCase[];
}

/** One test. `file` and `line` are where it is written; `failures` are empty if it passed. */
export interface JunitCase {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly failures: readonly string[];
}

/** Suites as JUnit XML. Source: the format of Jenkins' xunit plugin, which GitHub's and GitLab's readers take. */
export function junitXml(suites: readonly JunitSuite[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    ...suites.flatMap(suiteLines),
    '</testsuites>',
  ].join('\n');
}

function suiteLines({ name, seconds, cases }: JunitSuite): string[] {
  const failed = cases.filter(({ failures }) => failures.length > 0).length;
  const counts = `tests="${cases.length}" failures="${failed}" errors="0" time="${seconds.toFixed(3)}"`;
  return [
    `  <testsuite name="${attribute(name)}" ${counts}>`,
    ...cases.flatMap((each) => caseLines(each, name)),
    '  </testsuite>',
  ];
}

function caseLines({ name, file, line, failures }: JunitCase, suite: string): string[] {
  const open = `    <testcase name="${attribute(name)}" classname="${attribute(suite)}" file="${attribute(file)}" line="${line}"`;
  const [first] = failures;
  if (first === undefined) return [`${open} />`];
  return [
    `${open}>`,
    `      <failure message="${attribute(first)}">${xmlText(failures.join('\n'))}</failure>`,
    '    </testcase>',
  ];
}
