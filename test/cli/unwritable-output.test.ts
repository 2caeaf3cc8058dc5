import { afterAll, describe, expect, test } from 'vitest';
import { commandLine } from './analysis-fixture.ts';

const cli = commandLine();
afterAll(() => {
  cli[Symbol.dispose]();
});

describe.concurrent('output on a full disk is an error of', () => {
  test.each([
    'generate-expectations -f web.yaml',
    'check -f web.yaml --from default/client --to default/web --port 8080',
    'matrix -f web.yaml --port 8080',
    'graph -f web.yaml',
    'validate -f web.yaml',
  ])('%s', async (line) => {
    const stderr = 'error: the output cannot be written: ENOSPC: no space left on device, write\n';
    expect(await cli.run(line, { redirect: '> /dev/full' })).toEqual({ exitCode: 3, stdout: '', stderr });
  });
});
