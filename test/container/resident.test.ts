import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cleanMappings } from '../../src/container/resident.ts';

describe('mappings to let go of', () => {
  const mapping = (header: string, anonymous: number): string =>
    [header, 'Size:               3352 kB', `Anonymous:          ${anonymous} kB`, 'VmFlags: rd mr mw me', ''].join(
      '\n',
    );
  const file = 'fe:00 5353249                            /opt/node/bin/node';

  it('are of files, and read-only', () => {
    const smaps = [
      mapping(`00400000-00746000 r--p 00000000 ${file}`, 0),
      mapping(`00746000-00749000 r-xp 00346000 ${file}`, 0),
      mapping(`06b52000-06b56000 r--p 06751000 ${file}`, 16), // relocated: letting go of it would lose that
      mapping(`06b56000-06b99000 rw-p 06755000 ${file}`, 0),
      mapping('7ffd5c000000-7ffd5c021000 r--p 00000000 00:00 0', 0),
      mapping('7ffd5c1fe000-7ffd5c200000 r-xp 00000000 00:00 0                          [vdso]', 0),
    ].join('');
    expect(cleanMappings(smaps)).toEqual([
      { at: 0x400000, bytes: 0x346000 },
      { at: 0x746000, bytes: 0x3000 },
    ]);
  });
});

it('less is resident, and the process goes on', () => {
  const module = fileURLToPath(new URL('../../src/container/resident.ts', import.meta.url));
  const program = `
    import { readFileSync } from 'node:fs';
    import { releaseProgramFiles } from ${JSON.stringify(module)};
    const resident = () => Number(/RssFile:\\s+([0-9]+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    const before = resident();
    releaseProgramFiles();
    const after = resident();
    JSON.parse(JSON.stringify(Array.from({ length: 1000 }, (_, index) => ({ index }))));
    console.log(before, after);`;
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  const [before = 0, after = 0] = said.split(' ').map(Number);
  expect(after).toBeGreaterThan(0);
  expect(after).toBeLessThan(before / 2);
});
