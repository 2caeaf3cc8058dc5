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
    `      <failure message="${attribute(first)}">${content(failures.join('\n'))}</failure>`,
    '    </testcase>',
  ];
}

// What XML 1.0 cannot hold, also when escaped: control characters, halves of surrogate pairs, non-characters.
const UNHOLDABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]|\p{Surrogate}/gu;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function content(text: string): string {
  return text.replace(UNHOLDABLE, '').replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
}

/** On one line: a reader would take a line feed in an attribute for a blank anyway. */
function attribute(text: string): string {
  return content(text).replace(/[\n\t\r]+/g, ' ');
}
