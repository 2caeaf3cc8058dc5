import { diffText } from '../diff/diff-text.ts';
import { grouped } from '../diff/group.ts';
import { DIRECTIONS } from '../model/policy.ts';
import { painter } from '../report/color.ts';
import { flowEndsText } from '../report/flow-line.ts';
import { printable, printableLine } from '../report/printable.ts';
import { directionText } from '../report/verdict-text.ts';
import { patchOf, type Patch } from './patch.ts';
import type { QuotedLine } from './quote.ts';
import type { Remedy } from './remedy.ts';
import type { PolicyStory, Story } from './story.ts';

const MAX_LINE = 160; // of a quoted line; JSON manifests have it all on one

/** How a story is shown: in colour or not, and how this program is called for more of it. */
export interface StoryStyle {
  readonly color: boolean;
  /** `netpol-lab why default/client` with the options that the user gave. */
  readonly command: string;
  /** `netpol-lab apply` with them. */
  readonly applyCommand: string;
  /** Whether the change has been tried. */
  readonly isProven: boolean;
}

/** The story for a person to read. */
export function storyText({ flow, report, policies, remedy }: Story, style: StoryStyle): string {
  const paint = painter(style.color);
  const sides = DIRECTIONS.map((direction) => {
    const { name, address } = direction === 'egress' ? flow.from : flow.to;
    return `  ${direction} of ${printableLine(name === '' ? address : name)}: ${directionText(direction, report[direction])}`;
  });
  return [
    `${paint('red', 'denied')} ${flow.time} ${flowEndsText(flow)}`,
    ...(report.verdict === 'allow' ? ['allowed now: policies, labels or pods have changed since'] : []),
    ...sides,
    ...policies.flatMap((policy) => ['', ...policyLines(policy, style.color)]),
    ...(report.verdict === 'allow' ? [] : ['', ...(remedy ? remedyLines(remedy, style) : [NO_REMEDY])]),
  ].join('\n');
}

const NO_REMEDY = 'no change of one policy for each direction allows it';

function policyLines({ namespace, name, directions, file, lines }: PolicyStory, color: boolean): string[] {
  const place = file ?? 'as the lab has it, in no file here';
  return [
    printableLine(`${namespace}/${name} isolates ${directions.join(' and ')}, ${place}:`),
    ...lines.flatMap((line, index) => {
      const before = lines[index - 1];
      const gap = before && before.number + 1 < line.number ? ['        …'] : [];
      return [...gap, ...quotedLine(line, color)];
    }),
  ];
}

function quotedLine({ number, text, remarks }: QuotedLine, color: boolean): string[] {
  const paint = painter(color);
  const short = text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text;
  const line = printableLine(`${remarks.length > 0 ? '>' : ' '} ${String(number).padStart(4)}  ${short}`);
  const indent = ' '.repeat(8 + (/^ */.exec(short)?.[0].length ?? 0));
  return [
    remarks.length > 0 ? paint('red', line) : line,
    ...remarks.map((remark) => paint('dim', printableLine(`${indent}^ ${remark}`))),
  ];
}

function remedyLines({ changes, comparison }: Remedy, style: StoryStyle): string[] {
  const { color } = style;
  const patch = patchOf(changes);
  return [
    printableLine(`smallest change that allows it: ${changes.map(({ summary }) => summary).join(', and ')}`),
    '',
    ...patchLines(patch, color),
    '',
    'what it changes, all in all:',
    ...diffText(grouped(comparison.changes), comparison, color).replace(/^/gm, '  ').split('\n'),
    '',
    ...howTo(patch, style),
  ];
}

function howTo({ format, paths }: Patch, { command, applyCommand, isProven }: StoryStyle): string[] {
  const apply =
    format === 'manifest'
      ? `${command} -o patch | ${applyCommand} -f -`
      : `${command} -o patch | patch -p0 && ${applyCommand} ${paths.map((path) => `-f ${shellWord(path)}`).join(' ')}`;
  const tryIt = isProven ? [] : [`to try it:   ${printableLine(`${command} --prove`)}`];
  return [`to apply it: ${printableLine(apply)}`, ...tryIt];
}

function shellWord(text: string): string {
  return /^[-\w./]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function patchLines({ format, text }: Patch, color: boolean): string[] {
  const paint = painter(color);
  return printable(text)
    .trimEnd()
    .split('\n')
    .map((line) => (line.startsWith('+') || format === 'manifest' ? paint('green', `  ${line}`) : `  ${line}`));
}

/** The story as JSON. `change` is null if it is allowed by now, or nothing helps. */
export function storyJson({ flow, report, policies, remedy }: Story): object {
  const patch = remedy && patchOf(remedy.changes);
  const change = remedy &&
    patch && {
      summary: remedy.changes.map(({ summary }) => summary),
      ...patch,
      changes: grouped(remedy.comparison.changes),
    };
  return { flow, now: report, policies, change: change ?? null };
}
