import { isObject, type JsonObject, type JsonValue } from '../../manifest/json.ts';
import { at, listAt, numberAt, textAt, textMapAt } from '../api-object.ts';

// As many endpoints as a cell shows. Source: formatEndpoints.
const SHOWN_ENDPOINTS = 3;

/** Labels as `a=1,b=2`; `<none>` if there are none. */
export function pairsText(pairs: ReadonlyMap<string, string>): string {
  const texts = [...pairs].map(([key, value]) => `${key}=${value}`);
  return texts.sort().join(',') || '<none>';
}

/** A label selector as kubectl prints it: `app=web,tier in (a,b),!legacy`. Source: FormatLabelSelector, apimachinery. */
export function labelSelectorText(selector: JsonValue | undefined): string {
  const labels = [...textMapAt(selector, 'matchLabels')].map(([key, value]) => ({ key, text: `${key}=${value}` }));
  const expressions = listAt(selector, 'matchExpressions').map((one) => ({
    key: textAt(one, 'key'),
    text: expressionText(one),
  }));
  const sorted = [...labels, ...expressions].sort((one, other) => (one.key < other.key ? -1 : 1));
  return sorted.map(({ text }) => text).join(',') || '<none>';
}

function expressionText(expression: JsonValue): string {
  const key = textAt(expression, 'key');
  const values = listAt(expression, 'values').map(String).sort().join(',');
  switch (at(expression, 'operator')) {
    case 'In':
      return `${key} in (${values})`;
    case 'NotIn':
      return `${key} notin (${values})`;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return key;
  }
}

/** The ready addresses of Endpoints with their ports. */
export function endpointsText(object: JsonObject): string {
  const texts = listAt(object, 'subsets').flatMap((subset) => {
    const addresses = listAt(subset, 'addresses').map((one) => textAt(one, 'ip'));
    const ports = listAt(subset, 'ports').map((one) => numberAt(one, 'port'));
    if (ports.length === 0) return addresses;
    return ports.flatMap((port) => addresses.map((ip) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)));
  });
  return shortened(texts, 'none');
}

/** The addresses of an EndpointSlice. */
export function sliceEndpoints(slice: JsonObject): string {
  return shortened(
    listAt(slice, 'endpoints').flatMap((one) => listAt(one, 'addresses').map(String)),
    'unset',
  );
}

/** The ports of an EndpointSlice. */
export function slicePorts(slice: JsonObject): string {
  const ports = listAt(slice, 'ports').filter(isObject);
  return shortened(
    ports.map((port) => (at(port, 'port') === undefined ? '*' : String(numberAt(port, 'port')))),
    'unset',
  );
}

function shortened(texts: readonly string[], nothing: string): string {
  if (texts.length === 0) return `<${nothing}>`;
  const shown = texts.slice(0, SHOWN_ENDPOINTS).join(',');
  return texts.length > SHOWN_ENDPOINTS ? `${shown} + ${texts.length - SHOWN_ENDPOINTS} more...` : shown;
}
