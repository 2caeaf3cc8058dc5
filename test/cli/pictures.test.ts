import { afterAll, describe, expect, test } from 'vitest';
import { commandLine } from './analysis-fixture.ts';

const cli = commandLine();
afterAll(() => {
  cli[Symbol.dispose]();
});

describe.concurrent('pictures', () => {
  test.each([
    [
      'matrix -f web.yaml --port 8080 -o svg',
      /^<svg [\s\S]*default\/client -&gt; default\/web: 0 of 1[\s\S]*<\/svg>\n$/,
    ],
    ['matrix -f web.yaml --port 8080 -o html', /^<!doctype html>[\s\S]*<\/html>\n$/],
    ['graph -f web.yaml', /^<\?xml [\s\S]*>8080\/TCP<\/text>[\s\S]*<\/svg>\n/],
    ['graph -f web.yaml -o dot', /^digraph connections \{[\s\S]*n2 -> n0 \[label="8080\/TCP"\]\n\}\n$/],
    ['graph -f web.yaml --by namespace -o mermaid', /^flowchart LR\n[\s\S]*"default \(3\)"/],
  ])('%s', async (line, want) => {
    const { exitCode, stdout, stderr } = await cli.run(line);
    expect(stdout).toMatch(want);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });
});
