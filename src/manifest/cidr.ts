import { bits, parsePrefix, type Prefix } from '../net/prefix.ts';
import { parseIp } from '../net/ip.ts';

/**
 * Parses a CIDR as the API server does: host bits and leading zeros pass.
 * @returns undefined if it is none. Source: k8s.io/utils/net ParseCIDRSloppy.
 */
export function parseCidr(text: string): Prefix | undefined {
  return parsePrefix(withoutLeadingZeros(text));
}

/** What the API server warns of in a CIDR that it takes. Source: GetWarningsForCIDR, apimachinery. */
export function cidrWarnings(text: string, prefix: Prefix): string[] {
  const warnings: string[] = [];
  const plain = withoutLeadingZeros(text);
  const address = parseIp(plain.slice(0, plain.indexOf('/')));
  const network = prefix.text.slice(0, prefix.text.indexOf('/'));
  if (address && address.text !== network) {
    const single = `${address.text}/${bits(prefix.family)}`;
    warnings.push(
      `CIDR value ${JSON.stringify(text)} is ambiguous in this context (should be "${prefix.text}" or "${single}"?)`,
    );
  }
  if (plain !== text) {
    const end = `will be considered invalid in a future Kubernetes release: use "${prefix.text}"`;
    warnings.push(`non-standard CIDR value ${JSON.stringify(text)} ${end}`);
  }
  return warnings;
}

function withoutLeadingZeros(text: string): string {
  const slash = text.indexOf('/');
  if (slash < 0) return text;
  const address = text.slice(0, slash);
  const plain = address.includes(':') ? address : dropZeros(address);
  return `${plain}/${dropZeros(text.slice(slash + 1))}`;
}

function dropZeros(text: string): string {
  return text.replace(/(?<![0-9])0+(?=[0-9])/g, '');
}
