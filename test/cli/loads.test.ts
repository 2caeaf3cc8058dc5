import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const SRC = new URL('../../src/', import.meta.url);

/** Whether a process has Node's own HTTP and WebSocket client in memory once it has loaded a module. */
async function loadsUndici(module: string): Promise<boolean> {
  const program = `import(${JSON.stringify(module)}).then(() => console.log(process.moduleLoadList.join()))`;
  const { stdout } = await run(process.execPath, ['--eval', program]);
  return stdout.includes('internal/deps/undici');
}

// Of these there is a process for each pod, or each command.
it.each([
  'container/pod-proxy.ts',
  'container/dns.ts',
  'container/pod-server.ts',
  'dataplane/relay/relay.ts',
  'cli/main.ts',
  'lab/control-client.ts',
])('%s does without 12 MB that it never uses', async (file) => {
  expect(await loadsUndici(fileURLToPath(new URL(file, SRC)))).toBe(false);
});

it('which an import of node:http would load', async () => {
  expect(await loadsUndici('node:http')).toBe(true);
});
