import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../src/setup/system-tools.sh', import.meta.url));

// The script looks into /usr/sbin by itself; these tools are elsewhere, so a PATH can be without them.
const TOOLS = ['curl', 'nslookup', 'nc', 'unshare', 'nsenter', 'setpriv', 'mount'];

describe('src/setup/system-tools.sh', () => {
  let bin = '';

  /** Runs the script where PATH is a folder with the tools but the missing ones, and with the programs given. */
  function setup({ missing = [], programs = {} }: { missing?: string[]; programs?: Record<string, string> }) {
    for (const tool of TOOLS.filter((name) => !missing.includes(name))) program(tool, '');
    program('uname', 'echo Linux');
    for (const [name, body] of Object.entries(programs)) program(name, body);
    const { status, stdout, stderr } = spawnSync('/bin/sh', [script], { env: { PATH: bin }, encoding: 'utf8' });
    return { status, stdout, stderr };
  }

  function program(name: string, body: string): void {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }

  const asRoot = { id: 'echo 0' };
  const asUser = { id: 'echo 1000' };

  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), 'netpol-lab-tools-'));
    symlinkSync('/bin/chmod', join(bin, 'chmod'));
  });
  afterEach(() => rmSync(bin, { recursive: true }));

  it('is silent when nothing is missing', () => {
    expect(setup({ programs: asUser })).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it("installs Debian's packages as root, each once, after an update", () => {
    const apt = `
      echo "$@" >> '${bin}/calls'
      if [ "$1" = install ]; then
        for tool in curl unshare setpriv; do echo '#!/bin/sh' > "${bin}/$tool"; chmod +x "${bin}/$tool"; done
      fi`;
    const outcome = setup({ missing: ['curl', 'unshare', 'setpriv'], programs: { ...asRoot, 'apt-get': apt } });
    expect(outcome).toEqual({ status: 0, stdout: 'setup: installing Debian packages: curl util-linux\n', stderr: '' });
    expect(readFileSync(join(bin, 'calls'), 'utf8')).toBe(
      'update\ninstall -y --no-install-recommends curl util-linux\n',
    );
  });

  it('tells an ordinary user the command', () => {
    const outcome = setup({ missing: ['nslookup', 'nc'], programs: { ...asUser, 'apt-get': 'exit 1' } });
    expect(outcome).toEqual({
      status: 3,
      stdout: '',
      stderr:
        'setup: missing: nslookup nc. ' +
        'Run: sudo apt-get update && sudo apt-get install -y bind9-dnsutils netcat-openbsd\n',
    });
  });

  it('shows what apt-get said when it fails', () => {
    const outcome = setup({ missing: ['nc'], programs: { ...asRoot, 'apt-get': 'echo no network; exit 100' } });
    expect(outcome).toMatchObject({
      status: 3,
      stderr: 'no network\nsetup: apt-get could not install: netcat-openbsd\n',
    });
  });

  it('says what is missing after an install that brought nothing', () => {
    const outcome = setup({ missing: ['nc'], programs: { ...asRoot, 'apt-get': '' } });
    expect(outcome).toMatchObject({ status: 3, stderr: 'setup: still missing after the install: nc\n' });
  });

  it('names the tools where there is no apt-get', () => {
    const outcome = setup({ missing: ['curl', 'nc'], programs: asRoot });
    expect(outcome.status).toBe(3);
    expect(outcome.stderr).toMatch(/missing: curl nc\. .*package manager/);
  });

  it('says so on a system that is not Linux', () => {
    const outcome = setup({ missing: ['mount'], programs: { ...asUser, uname: 'echo Darwin' } });
    expect(outcome.status).toBe(3);
    expect(outcome.stderr).toContain('needs Linux');
  });
});
