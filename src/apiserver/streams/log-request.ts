import type { Issue } from '../../manifest/issue.ts';
import { invalidObject } from '../status.ts';
import type { LogRecord } from './pod-access.ts';

/** What a client wants of a log. Source: core/v1 PodLogOptions. */
export interface LogRequest {
  readonly follow: boolean;
  /** Of the run before the last restart. */
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  /** Milliseconds since 1970: older records are left out. */
  readonly sinceMs: number;
  readonly limitBytes: number;
}

type Fault = Pick<Issue, 'field' | 'type' | 'message'>;

/** Reads a request's query. Throws a 422 as the API server does. Source: ValidatePodLogOptions. */
export function logRequestOf(query: URLSearchParams, pod: string, now: Date): LogRequest {
  const faults: Fault[] = [];
  const tailLines = integerIn(query, 'tailLines', { least: 0, faults });
  const limitBytes = integerIn(query, 'limitBytes', { least: 1, faults });
  const sinceSeconds = integerIn(query, 'sinceSeconds', { least: 1, faults });
  const sinceTime = query.get('sinceTime') ?? '';
  const sinceMs = sinceTime === '' ? -Infinity : Date.parse(sinceTime);
  if (Number.isNaN(sinceMs)) faults.push(invalid('sinceTime', sinceTime, 'must be a time as in RFC 3339'));
  if (sinceSeconds !== undefined && sinceTime !== '') {
    const message = 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified';
    faults.push({ field: '', type: 'FieldValueForbidden', message });
  }
  if (faults.length > 0) throw invalidObject({ group: '', kind: 'PodLogOptions' }, pod, faults);
  return {
    ...{ follow: isSet(query, 'follow'), previous: isSet(query, 'previous'), timestamps: isSet(query, 'timestamps') },
    ...{ tailLines, limitBytes: limitBytes ?? Infinity },
    sinceMs: sinceSeconds === undefined ? sinceMs : now.getTime() - sinceSeconds * 1000,
  };
}

/** The bytes that a client is sent of these records. */
export async function* logText(
  blocks: AsyncIterable<readonly LogRecord[]>,
  request: LogRequest,
): AsyncGenerator<Uint8Array> {
  let left = request.limitBytes;
  let atLineStart = true;
  for await (const block of blocks) {
    const parts = block
      .filter(({ time }) => Date.parse(time) >= request.sinceMs)
      .flatMap(({ time, text }) => {
        const stamp = request.timestamps && atLineStart ? [Buffer.from(`${time} `)] : [];
        atLineStart = text.at(-1) === 10;
        return [...stamp, text];
      });
    const bytes = Buffer.concat(parts).subarray(0, left);
    left -= bytes.length;
    if (bytes.length > 0) yield bytes;
    if (left === 0) return;
  }
}

/** Whether a query says yes to something. */
export function isSet(query: URLSearchParams, name: string): boolean {
  return ['true', '1'].includes(query.get(name) ?? '');
}

function integerIn(
  query: URLSearchParams,
  field: string,
  { least, faults }: { readonly least: number; readonly faults: Fault[] },
): number | undefined {
  const text = query.get(field) ?? '';
  if (text === '') return undefined;
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= least) return number;
  const want = least === 0 ? 'must be greater than or equal to 0' : 'must be greater than 0';
  faults.push(invalid(field, text, want));
  return undefined;
}

function invalid(field: string, value: string, want: string): Fault {
  return { field, type: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${want}` };
}
