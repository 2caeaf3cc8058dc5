import { parseEndpoint } from '../model/endpoint.ts';
import { portOf, transportNamed } from './lab-flow.ts';
import { skipped, type Reading } from './recorded-flow.ts';

const NEEDED = ['from', 'to', 'port'];
const VERDICTS: Readonly<Record<string, 'allow' | 'deny'>> = {
  allow: 'allow',
  allowed: 'allow',
  forwarded: 'allow',
  deny: 'deny',
  denied: 'deny',
  dropped: 'deny',
};

/**
 * Reads the lines of comma-separated values under a header: from, to and port, and maybe protocol (TCP if there is
 * none) and verdict. @returns undefined if the header lacks a column.
 */
export function csvReader(header: string): ((line: string) => Reading) | undefined {
  const columns = cellsOf(header).map((name) => name.trim().toLowerCase());
  if (!NEEDED.every((name) => columns.includes(name))) return undefined;
  return (line) => {
    const cells = cellsOf(line);
    const cell = (name: string): string => cells[columns.indexOf(name)]?.trim() ?? '';
    const transport = transportNamed(cell('protocol') || 'TCP');
    const port = portOf(transport, cell('port'));
    const [from, to] = [parseEndpoint(cell('from')), parseEndpoint(cell('to'))];
    if (transport === undefined || port === undefined) return skipped('no protocol and port');
    if (!from || !to) return skipped('an end that is neither a pod nor a workload nor an address');
    const verdict = VERDICTS[cell('verdict').toLowerCase()] ?? null;
    return { kind: 'flow', flow: { from: [from], to: [to], transport, port, verdict, seenAt: null } };
  };
}

/** The cells of a line; quotes around one are taken away. Source: RFC 4180 §2. */
function cellsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
}
