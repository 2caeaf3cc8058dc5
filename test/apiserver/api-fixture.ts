import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ApiStore } from '../../src/apiserver/api-store.ts';
import { ApiServer } from '../../src/apiserver/http/api-server.ts';
import { makeCertificate } from '../../src/apiserver/http/certificate.ts';
import { kubeconfig } from '../../src/apiserver/kubeconfig.ts';

/** How a program ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export const TOKEN = 'a-token-for-tests';

/** A served store, with a folder of its own and a kubeconfig in it. */
export class ApiFixture {
  readonly store: ApiStore;
  readonly server: ApiServer;
  readonly folder: string;
  readonly caPem: string;

  private constructor(parts: { store: ApiStore; server: ApiServer; folder: string; caPem: string }) {
    ({ store: this.store, server: this.server, folder: this.folder, caPem: this.caPem } = parts);
  }

  static async start(options: { requestTimeoutMs?: number } = {}): Promise<ApiFixture> {
    const folder = await mkdtemp(join(tmpdir(), 'netpol-lab-api-'));
    const store = await ApiStore.open();
    const certificate = makeCertificate(new Date());
    const server = await ApiServer.start({ store, token: TOKEN, certificate, ...options });
    const { caPem } = certificate;
    const config = kubeconfig({ server: server.url, caPem, token: TOKEN, namespace: 'default' });
    await writeFile(join(folder, 'config'), config);
    return new ApiFixture({ store, server, folder, caPem });
  }

  /** Runs kubectl with this text as its standard input. */
  kubectl(args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return run('kubectl', ['--cache-dir', join(this.folder, 'cache'), ...args], {
      input,
      env: { HOME: this.folder, KUBECONFIG: join(this.folder, 'config'), ...env },
    });
  }

  /** Writes a file into the folder. @returns its path. */
  async file(name: string, text: string): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, text);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.store.close();
    await rm(this.folder, { recursive: true });
  }
}

function run(
  program: string,
  args: readonly string[],
  { input, env }: { input: string; env: Readonly<Record<string, string>> },
): Promise<Ended> {
  const path = `${dirname(process.execPath)}:${process.env.PATH ?? ''}`;
  const child = spawn(program, args, { env: { PATH: path, ...env } });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.on('error', () => undefined); // it may end before it has read
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}
