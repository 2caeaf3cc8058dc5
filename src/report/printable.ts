// Control characters of C0 and C1 but for line feed and tab, and what turns the direction of text around.
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The text without characters that could steer a terminal. Lines stay. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '');
}

/** The text on one line: also without line feeds and tabs. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\n\t]+/g, ' ');
}
