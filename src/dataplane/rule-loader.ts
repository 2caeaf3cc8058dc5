import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { LabError } from '../model/lab-error.ts';
import { inNamespace } from './libc.ts';

/** A program and its arguments. */
type Command = readonly [tool: string, ...args: string[]];

const NFT: Command = ['nft', '-f', '-'];
const RESTORE = { 4: ['iptables-restore', '--noflush'], 6: ['ip6tables-restore', '--noflush'] } as const;
const CHECK = { 4: 'iptables', 6: 'ip6tables' } as const;

const HINT =
  '\nThe gate needs the packages iptables and nftables, NET_ADMIN, and a kernel with NFQUEUE, connmark, conntrack and ' +
  'nft NAT (modprobe xt_NFQUEUE xt_connmark nf_conntrack_netlink nft_nat nft_numgen nft_reject_inet).';

/** Loads rules into one network namespace, each text as one transaction of the kernel. */
export class RuleLoader {
  readonly #namespace: number | undefined;

  /** @param namespace descriptor; this thread's namespace if not given. */
  constructor(namespace: number | undefined) {
    this.#namespace = namespace;
  }

  /** Runs work in the namespace. */
  within<T>(work: () => T): T {
    return this.#namespace === undefined ? work() : inNamespace(this.#namespace, work);
  }

  /** Loads a text for `nft -f`. Throws LabError. */
  nft(rules: string): Promise<void> {
    return this.#run(NFT, rules);
  }

  /** Loads a text for `nft -f` and returns when it is in force, before anything else happens in this process. Throws LabError. */
  nftAtOnce(rules: string): void {
    const [tool, ...args] = NFT;
    const { error, status, signal, stderr } = this.within(() => spawnSync(tool, args, { input: rules, stdio: 'pipe' }));
    if (error) throw failure(tool, 'cannot be started', '', error);
    if (status !== 0) throw failure(tool, ending(status, signal), stderr.toString(), undefined);
  }

  /** Loads a text for iptables-restore --noflush, of IPv4 or IPv6. Throws LabError. */
  iptables(family: 4 | 6, rules: string): Promise<void> {
    return this.#run(RESTORE[family], rules);
  }

  /** Whether the filter table has the rule. Throws LabError. */
  async hasRule(family: 4 | 6, rule: readonly string[]): Promise<boolean> {
    const tool = CHECK[family];
    const child = this.within(() => spawn(tool, ['-C', ...rule], { stdio: 'ignore' }));
    try {
      const [code] = (await once(child, 'close')) as [number | null];
      return code === 0;
    } catch (error) {
      throw failure(tool, 'cannot be started', '', error);
    }
  }

  async #run([tool, ...args]: Command, input: string): Promise<void> {
    const child = this.within(() => spawn(tool, args, { stdio: ['pipe', 'ignore', 'pipe'] }));
    const [failed, complaint] = await Promise.all([outcome(child), text(child.stderr), feed(child, input)]);
    if (failed) throw failure(tool, failed.message, complaint, failed.cause);
  }
}

function failure(tool: string, what: string, complaint: string, cause: unknown): LabError {
  const said = complaint === '' ? '' : `: ${complaint.trim()}`;
  return new LabError('environment', `${tool} ${what}${said}${HINT}`, { cause });
}

function ending(code: number | null, signal: NodeJS.Signals | null): string {
  return `failed (${signal ?? `exit code ${code}`})`;
}

/** How the child ended. @returns undefined if well. */
async function outcome(child: ChildProcess): Promise<{ message: string; cause: unknown } | undefined> {
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return code === 0 ? undefined : { message: ending(code, signal), cause: undefined };
  } catch (error) {
    return { message: 'cannot be started', cause: error };
  }
}

/** Writes the input. A child that ends early says why by its exit code. */
async function feed(child: ChildProcess, input: string): Promise<void> {
  const { stdin } = child;
  if (!stdin) return;
  await new Promise<void>((resolve) => {
    stdin.on('error', () => {
      resolve();
    });
    stdin.end(input, resolve);
  });
}
