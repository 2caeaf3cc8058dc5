// The rules for names and labels, with the API server's words for each.
// Source: k8s.io/apimachinery/pkg/util/validation, release 1.32. Each function returns what is wrong, nothing if fine.

const DNS_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS_SUBDOMAIN = `${DNS_LABEL}(\\.${DNS_LABEL})*`;
const DNS_1035_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED_NAME})?`;

// Compiled once: a check of a large cluster meets them some hundred thousand times.
const COMPILED: ReadonlyMap<string, RegExp> = new Map(
  [DNS_LABEL, DNS_SUBDOMAIN, DNS_1035_LABEL, QUALIFIED_NAME, LABEL_VALUE].map((regex) => [
    regex,
    new RegExp(`^(?:${regex})$`),
  ]),
);

// The hosts' name system allows 63 bytes a label and 253 a name.
const MAX_LABEL_BYTES = 63;
const MAX_SUBDOMAIN_BYTES = 253;
// Source: RFC 6335 §5.1.
const MAX_PORT_NAME_BYTES = 15;

/** A name with dots, as most objects have. */
export function dnsSubdomainErrors(value: string): string[] {
  return [
    ...tooLong(value, MAX_SUBDOMAIN_BYTES),
    ...mismatch(value, DNS_SUBDOMAIN, () =>
      pattern(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        DNS_SUBDOMAIN,
        ['example.com'],
      ),
    ),
  ];
}

/** A name without dots, as namespaces and containers have. */
export function dnsLabelErrors(value: string): string[] {
  return [
    ...tooLong(value, MAX_LABEL_BYTES),
    ...mismatch(value, DNS_LABEL, () =>
      matches(value, DNS_SUBDOMAIN)
        ? 'must not contain dots'
        : pattern(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
            DNS_LABEL,
            ['my-name', '123-abc'],
          ),
    ),
  ];
}

/** A name that begins with a letter, as Services have. */
export function dns1035LabelErrors(value: string): string[] {
  return [
    ...tooLong(value, MAX_LABEL_BYTES),
    ...mismatch(value, DNS_1035_LABEL, () =>
      pattern(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        DNS_1035_LABEL,
        ['my-name', 'abc-123'],
      ),
    ),
  ];
}

const QUALIFIED_NAME_RULE = pattern(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  QUALIFIED_NAME,
  ['MyName', 'my.name', '123-abc'],
);

/** A key of labels and annotations: a name, before it perhaps a domain and a slash. */
export function qualifiedNameErrors(value: string): string[] {
  const parts = value.split('/');
  if (parts.length > 2) {
    return [
      `a qualified name ${QUALIFIED_NAME_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? parts[0] : undefined;
  return [
    ...(prefix === undefined ? [] : prefixErrors(prefix)).map((error) => `prefix part ${error}`),
    ...[
      ...(name === '' ? ['must be non-empty'] : tooLong(name, MAX_LABEL_BYTES)),
      ...mismatch(name, QUALIFIED_NAME, () => QUALIFIED_NAME_RULE),
    ].map((error) => `name part ${error}`),
  ];
}

/** The value of a label. */
export function labelValueErrors(value: string): string[] {
  return [
    ...tooLong(value, MAX_LABEL_BYTES),
    ...mismatch(value, LABEL_VALUE, () =>
      pattern(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        LABEL_VALUE,
        ['MyValue', 'my_value', '12345'],
      ),
    ),
  ];
}

/** The name of a port. */
export function portNameErrors(value: string): string[] {
  const broken: readonly (readonly [boolean, string])[] = [
    [byteLength(value) > MAX_PORT_NAME_BYTES, `must be no more than ${MAX_PORT_NAME_BYTES} bytes`],
    [!/^[-a-z0-9]+$/.test(value), 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'],
    [!/[a-z]/.test(value), 'must contain at least one letter (a-z)'],
    [value.includes('--'), 'must not contain consecutive hyphens'],
    [value.startsWith('-') || value.endsWith('-'), 'must not begin or end with a hyphen'],
  ];
  return broken.filter(([applies]) => applies).map(([, message]) => message);
}

/** The number of a port. */
export function portNumberErrors(value: number): string[] {
  return value >= 1 && value <= 65535 ? [] : ['must be between 1 and 65535, inclusive'];
}

function prefixErrors(prefix: string): string[] {
  return prefix === '' ? ['must be non-empty'] : dnsSubdomainErrors(prefix);
}

function tooLong(value: string, maxBytes: number): string[] {
  return byteLength(value) > maxBytes ? [`must be no more than ${maxBytes} bytes`] : [];
}

function byteLength(value: string): number {
  return new TextEncoder().encode(value).length;
}

function mismatch(value: string, regex: string, message: () => string): string[] {
  return matches(value, regex) ? [] : [message()];
}

function matches(value: string, regex: string): boolean {
  return COMPILED.get(regex)?.test(value) ?? false;
}

/** The API server's way to show a pattern, with its double spaces. */
function pattern(rule: string, regex: string, examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${rule} (e.g. ${shown}regex used for validation is '${regex}')`;
}
