import { replaceTable } from './firewall.ts';

const TABLE = 'netpol_lab_timeouts';
const KEYWORD = { 4: 'ip', 6: 'ip6' } as const;

/**
 * How long conntrack remembers a connection that one side has closed, in seconds: kube-proxy's hour. With its own minute
 * the rest of an answer that is longer in coming is lost. Once both sides have closed, other states' timeouts hold.
 */
const HALF_CLOSED = { fin_wait: 3600, close_wait: 3600 } as const;

/**
 * nft objects that stand in a table, and the rules of a chain that give them to TCP connections whose first packet it
 * sees; a later chain may give others. Needs no sysctl, which containers may not write.
 * @param seconds by state of conntrack, besides those of half-closed connections; others have the kernel's defaults.
 */
export function tcpTimeouts(
  name: string,
  seconds: Readonly<Partial<Record<'time_wait' | 'close', number>>> = {},
): { readonly objects: readonly string[]; readonly rules: readonly string[] } {
  const policy = Object.entries({ ...HALF_CLOSED, ...seconds }).map(([state, value]) => `${state}: ${value}`);
  const families = [4, 6] as const;
  return {
    objects: families.map(
      (family) =>
        `ct timeout ${name}${family} { protocol tcp; l3proto ${KEYWORD[family]}; policy = { ${policy.join(', ')} }; }`,
    ),
    rules: families.map((family) => `meta nfproto ipv${family} ct timeout set "${name}${family}"`),
  };
}

/** Input of `nft -f`: what conntrack sees half-closed lasts, in a node's or pod's namespace, whichever way it was opened. */
export function halfClosedRules(): string {
  const { objects, rules } = tcpTimeouts('lasting');
  return replaceTable(TABLE, [
    ...objects,
    // Chains of the type nat, which the kernel runs for first packets alone: before the relay's, and before Services.
    ...['prerouting', 'output'].flatMap((hook) => [
      `chain ${hook} {`,
      `type nat hook ${hook} priority -120;`,
      ...rules,
      '}',
    ]),
  ]);
}
