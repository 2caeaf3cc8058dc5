// Kubernetes' alphabet of generated names: no vowels, no look-alikes. Source: k8s.io/apimachinery/pkg/util/rand.
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
// A generated name is to fit into a label. Source: k8s.io/apiserver/pkg/storage/names.
const MAX_BASE_LENGTH = 63 - SUFFIX_LENGTH;

/** Five characters that the key decides: what Kubernetes draws at random, the same on every run. */
export function suffixOf(key: string): string {
  let rest = fnv1a(key);
  let text = '';
  for (let at = 0; at < SUFFIX_LENGTH; at += 1) {
    text += ALPHABET.charAt(rest % ALPHABET.length);
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}

/** The hash of a pod template in the form of Kubernetes: up to ten characters. */
export function templateHashOf(text: string): string {
  return String(fnv1a(text)).replace(/[0-9]/g, (digit) => ALPHABET.charAt(digit.charCodeAt(0) % ALPHABET.length));
}

/** `BASE` and a suffix that the key decides, as generateName makes it; another suffix if the name is taken. */
export function generatedName(base: string, key: string, taken: ReadonlySet<string>): string {
  for (let attempt = 0; ; attempt += 1) {
    const suffix = suffixOf(attempt === 0 ? key : `${key}#${attempt}`);
    const name = `${base.slice(0, MAX_BASE_LENGTH)}${suffix}`;
    if (!taken.has(name)) return name;
  }
}

/** A number of this many digits that the key decides. */
export function digitsOf(key: string, length: number): string {
  return String(fnv1a(key)).padStart(length, '2').slice(-length);
}

/** The 32-bit FNV-1a hash, mixed once more: near keys are to have far hashes. Source: RFC 9923; MurmurHash3's finalizer. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
