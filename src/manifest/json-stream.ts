// JSON has backslashes in strings only, and what one escapes ends no string.
const TOKEN = /\\.|["{}[\]]/gs;

/**
 * Cuts a text that begins with `{` where one object follows another without a separator, as jq writes them.
 * @returns parts that are the text when put together; a single one where nothing else follows an object so.
 * Source: NewYAMLOrJSONDecoder, k8s.io/apimachinery.
 */
export function objectTexts(text: string): string[] {
  const starts = /^\s*\{/.test(text) ? [0, ...laterStarts(text)] : [0];
  return starts.map((start, index) => text.slice(start, starts[index + 1]));
}

/** The offsets of the objects behind the first one, up to what is neither an object nor blank. */
function laterStarts(text: string): number[] {
  const starts: number[] = [];
  let depth = 0;
  let end: number | undefined;
  let isQuoted = false;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (token === '{' || token === '[') {
      if (depth === 0 && end !== undefined) {
        if (token === '[' || text.slice(end, index).trim() !== '') break;
        starts.push(index);
      }
      depth += 1;
    } else if (token === '}' || token === ']') {
      depth -= 1;
      end = index + 1;
    }
  }
  return starts;
}
