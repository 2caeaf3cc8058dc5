// Select Graphic Rendition codes. Source: ECMA-48 §8.3.117.
const CODES = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;

/** Paints a text, or leaves it as it is. */
export type Paint = (style: keyof typeof CODES, text: string) => string;

/** A Paint that colours only where `color` is true. */
export function painter(color: boolean): Paint {
  return (style, text) => (color ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text);
}
