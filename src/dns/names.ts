import { toBytes, type IpAddress } from '../net/ip.ts';

/** The cluster's own domain. kubeadm's default. */
export const CLUSTER_DOMAIN = 'cluster.local';

// One label as DNS carries it (RFC 1035 §2.3.4), of printable ASCII, without the dot that ends it.
const LABEL = /^[!-\-/-~]{1,63}$/;
const MAX_NAME_LENGTH = 253; // 255 bytes on the wire: a length before the first label, a zero after the last

/** The name as zones are keyed: lower case (ASCII alone, RFC 4343), without a final dot; the root is empty. */
export function canonical(name: string): string {
  const text = name.endsWith('.') ? name.slice(0, -1) : name;
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Whether DNS can carry this canonical name. */
export function isDomainName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && name.split('.').every((label) => LABEL.test(label));
}

/** Whether a canonical name is the domain or lies below it. */
export function isWithin(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}

/** The name one label up: `b.c` for `a.b.c`; the root, empty, above a single label. */
export function parentOf(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1);
}

/** Where an address's PTR records are, below in-addr.arpa or ip6.arpa. Source: RFC 1035 §3.5, RFC 3596 §2.5. */
export function reverseName(address: IpAddress): string {
  const bytes = toBytes(address.words);
  if (address.family === 4) return `${bytes.reverse().join('.')}.in-addr.arpa`;
  const digits = bytes.flatMap((byte) => [byte >>> 4, byte & 15]).map((digit) => digit.toString(16));
  return `${digits.reverse().join('.')}.ip6.arpa`;
}

/** The label of an endpoint without a hostname: its address with dashes, as CoreDNS writes it. */
export function dashedAddress(address: IpAddress): string {
  return address.text.replace(/[.:]/g, '-');
}
