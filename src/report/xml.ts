// What XML 1.0 cannot hold, also when escaped: control characters, halves of surrogate pairs, non-characters.
const UNHOLDABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]|\p{Surrogate}/gu;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** The text as XML or HTML holds it between tags. */
export function xmlText(text: string): string {
  return text.replace(UNHOLDABLE, '').replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
}

/** The text as an attribute holds it, on one line: a reader would take a line feed for a blank anyway. */
export function xmlAttribute(text: string): string {
  return xmlText(text).replace(/[\n\t\r]+/g, ' ');
}
