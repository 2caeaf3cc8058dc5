/** The value at a path of JSON. @returns undefined where the path leads nowhere. */
export function field(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const name of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, name)) return undefined;
    current = (current as Record<string, unknown>)[name];
  }
  return current;
}

/** The list at a path of JSON; empty where there is none. */
export function listField(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const list = field(value, ...path);
  return Array.isArray(list) ? (list as unknown[]) : [];
}

/** The string or number at a path of JSON, as text; else the text that stands for none. */
export function textField(value: unknown, path: readonly string[], none = '<none>'): string {
  const found = field(value, ...path);
  return typeof found === 'string' || typeof found === 'number' ? String(found) : none;
}

/** The number at a path of JSON; 0 where there is none. */
export function countField(value: unknown, ...path: readonly string[]): number {
  const found = field(value, ...path);
  return typeof found === 'number' ? found : 0;
}

/** The strings of the object at a path of JSON, as `key=value` in the order of their keys, between commas. */
export function pairsField(value: unknown, ...path: readonly string[]): string {
  const pairs = field(value, ...path);
  if (typeof pairs !== 'object' || pairs === null) return '';
  return Object.entries(pairs)
    .filter((pair): pair is [string, string] => typeof pair[1] === 'string')
    .map(([key, text]) => `${key}=${text}`)
    .sort()
    .join(',');
}
