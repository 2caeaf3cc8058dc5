import type { Family, IpAddress } from '../net/ip.ts';
import type { Port } from '../net/port.ts';

/** Mark of a packet that the gate denied and that is to be rejected instead of dropped. No mark crosses from a pod's namespace. */
export const DENY_MARK = 0x4e50;

/** Bits in the marks of conntrack entries: a flow that can be cut, and one that is; see conntrack.ts. */
export const FLOW_MARK = { cuttable: 1, cut: 2 } as const;

/** Where the gate sends markers to itself, see gate-marker.ts: a loopback address that nobody else uses, port discard (RFC 863). Only who may set the mark may send one. */
export const MARKER = { address: { text: '127.0.0.254', word: 0x7f0000fe }, port: 9, mark: 0x4e51 } as const;

/** A pod's (or outside host's) interface on the node's side, and the addresses that may come from it. */
export interface AttachedPod {
  readonly interface: string;
  readonly addresses: readonly IpAddress[];
}

/** A Service's port of one address, and where its connections go. Without endpoints it is refused. */
export interface ServiceRule {
  readonly address: IpAddress;
  readonly protocol: 'TCP' | 'UDP';
  readonly port: Port;
  readonly endpoints: readonly { readonly address: IpAddress; readonly port: Port }[];
}

/** The table of what may enter and leave at all. */
export const GUARD_TABLE = 'netpol_lab_guard';
const SERVICES_TABLE = 'netpol_lab_services';
const SETTLING_TABLE = 'netpol_lab_verdicts';

/** What the way to the gate depends on. */
export interface GateRuleOptions {
  readonly family: Family;
  readonly queue: number;
}

/**
 * Input of iptables-restore (4) or ip6tables-restore (6), with --noflush: the way to a node's gate.
 * Nothing is forwarded but what the gate accepted and what conntrack knows as part of that.
 * INPUT and OUTPUT stay open: a pod's own node always reaches it, and it the node (SEMANTICS 19).
 */
export function gateRules({ family, queue }: GateRuleOptions): string {
  const markers = family === 4 ? ['-F OUTPUT', markerRule('OUTPUT', queue)] : [];
  return [
    '*mangle',
    ':FORWARD DROP',
    ...markers,
    '-F FORWARD',
    ...acceptedRules('FORWARD'),
    ...judgingRules('FORWARD', queue),
    'COMMIT',
    '',
  ].join('\n');
}

/** An iptables rule that takes the gate's own markers to it, see gate-marker.ts. */
export function markerRule(chain: string, queue: number): string {
  const { address, port, mark } = MARKER;
  return `-A ${chain} -d ${address.text} -p udp --dport ${port} -m mark --mark ${mark} ${toGate(queue)}`;
}

/**
 * iptables rules that decide which packets the gate judges, which pass as part of an accepted connection, and which are
 * dropped. The chain begins with acceptedRules.
 */
export function judgingRules(chain: string, queue: number): string[] {
  return [
    // Whatever conntrack says: a connection that reuses a port must not ride on an old entry.
    `-A ${chain} -p tcp --syn ${toGate(queue)}`,
    // A flow that was cut: each packet is judged by itself, as the first of a flow in its own direction.
    `-A ${chain} ! -p tcp -m connmark --mark ${CUT} ${toGate(queue)}`,
    // From the middle of a connection that conntrack does not know, or that was cut.
    `-A ${chain} -p tcp -j DROP`,
    `-A ${chain} -m conntrack --ctstate INVALID -j DROP`,
    `-A ${chain} ${toGate(queue)}`,
  ];
}

/** iptables rules that let pass what belongs to an accepted connection. They come first, as most packets do. */
export function acceptedRules(chain: string): string[] {
  const accepted = `-m conntrack --ctstate ESTABLISHED,RELATED -m connmark ! --mark ${CUT} -j ACCEPT`;
  return [`-A ${chain} -p tcp ! --syn ${accepted}`, `-A ${chain} ! -p tcp ${accepted}`];
}

const CUT = `${FLOW_MARK.cut}/${FLOW_MARK.cut}`;

function toGate(queue: number): string {
  return `-j NFQUEUE --queue-num ${queue}`; // without --queue-bypass: no gate, no passing
}

/**
 * Input of `nft -f`: what becomes of a packet that the gate let go, at hooks behind it. One that is denied is
 * refused, any other's flow is marked as one that can be cut.
 * @param established `keep`: TCP connections outlive the policies that allowed them.
 * @param spared nft rules that return for what is not to be marked.
 */
export function settlingRules(
  hooks: readonly ('forward' | 'input' | 'output')[],
  established: 'keep' | 'strict',
  spared: readonly string[] = [],
): string {
  const cuttable = established === 'keep' ? 'meta l4proto != tcp ' : '';
  const { cuttable: cuttableBit, cut } = FLOW_MARK;
  return replaceTable(SETTLING_TABLE, [
    'chain settle {',
    `meta mark ${DENY_MARK} goto refuse`,
    `ct state established ct mark and ${cut} == 0 accept`, // most packets
    'iifname "lo" return',
    'oifname "lo" return',
    ...spared,
    `${cuttable}ct state new ct mark set ct mark or ${cuttableBit}`,
    // The gate has accepted this packet, so its flow is cut no longer.
    `meta l4proto != tcp ct mark and ${cut} == ${cut} ct direction original ct mark set ct mark and ${hex(~cut)}`,
    '}',
    ...REFUSAL,
    ...hooks.flatMap((hook) => [`chain ${hook} {`, `type filter hook ${hook} priority 10;`, 'jump settle', '}']),
  ]);
}

const REFUSAL = [
  'chain refuse {',
  'meta l4proto tcp reject with tcp reset',
  'reject with icmpx type port-unreachable',
  '}',
];

function hex(word: number): string {
  return `0x${(word >>> 0).toString(16)}`;
}

/**
 * Input of `nft -f`: what may enter the node from outside, replaced as a whole. A packet whose
 * interface and source address are not a pair of `pods` is dropped before conntrack sees it, but for
 * IPv6 neighbour discovery, which is never forwarded.
 */
export function guardRules(pods: readonly AttachedPod[]): string {
  const pairs = (family: Family): string[] =>
    pods.flatMap((pod) =>
      pod.addresses
        .filter((address) => address.family === family)
        .map((address) => `"${pod.interface}" . ${address.text}`),
    );
  return replaceTable(GUARD_TABLE, [
    set('pods4', 'ifname . ipv4_addr', pairs(4)),
    set('pods6', 'ifname . ipv6_addr', pairs(6)),
    'chain prerouting {',
    'type filter hook prerouting priority raw; policy drop;',
    'iifname "lo" accept',
    'iifname . ip saddr @pods4 accept',
    'iifname . ip6 saddr @pods6 accept',
    'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ip6 saddr fe80::/10 accept',
    'icmpv6 type nd-neighbor-solicit ip6 saddr :: accept',
    '}',
  ]);
}

/** Where Services are translated: for all pods of a node, with addresses that stand in for a pod that reaches itself, or in a pod. */
export type ServicePlace =
  { readonly kind: 'node'; readonly addresses: readonly IpAddress[] } | { readonly kind: 'pod' };

/**
 * Input of `nft -f`: Service addresses become endpoints before the gate sees the packet, replaced as
 * a whole. Each new connection takes an endpoint at random. Any other port of a Service's address, and
 * one without endpoints, is refused, as kube-proxy does. All this is in chains of the type nat, which the kernel runs for
 * first packets alone.
 */
export function serviceRules(services: readonly ServiceRule[], place: ServicePlace): string {
  const served = services.filter(({ endpoints }) => endpoints.length > 0);
  const keys = (family: Family): string[] =>
    served.flatMap((rule, index) =>
      rule.address.family === family
        ? [`${rule.address.text} . ${rule.protocol.toLowerCase()} . ${rule.port} : goto endpoints_${index}`]
        : [],
    );
  return replaceTable(SERVICES_TABLE, [
    ...served.flatMap(endpointChain),
    map('services4', 'ipv4_addr . inet_proto . inet_service', keys(4)),
    map('services6', 'ipv6_addr . inet_proto . inet_service', keys(6)),
    set('addresses4', 'ipv4_addr', addressesOf(services, 4)),
    set('addresses6', 'ipv6_addr', addressesOf(services, 6)),
    'chain translate {',
    'ip daddr . meta l4proto . th dport vmap @services4',
    'ip6 daddr . meta l4proto . th dport vmap @services6',
    'ip daddr @addresses4 goto refuse',
    'ip6 daddr @addresses6 goto refuse',
    '}',
    ...REFUSAL,
    'chain output {',
    'type nat hook output priority -100;',
    'jump translate',
    '}',
    ...(place.kind === 'node' ? nodeTranslation(served, place.addresses) : []),
  ]);
}

/** What a node translates besides its own connections: those of its pods. */
function nodeTranslation(served: readonly ServiceRule[], node: readonly IpAddress[]): string[] {
  return [
    set('itself4', 'ipv4_addr . ipv4_addr', pairsWithItself(served, 4)),
    set('itself6', 'ipv6_addr . ipv6_addr', pairsWithItself(served, 6)),
    'chain prerouting {',
    'type nat hook prerouting priority dstnat;',
    'jump translate',
    '}',
    'chain postrouting {',
    'type nat hook postrouting priority srcnat;',
    // A pod would take a packet from its own address, coming from outside, for a forgery.
    ...node.map((address) =>
      address.family === 4
        ? `ip saddr . ip daddr @itself4 snat ip to ${address.text}`
        : `ip6 saddr . ip6 daddr @itself6 snat ip6 to ${address.text}`,
    ),
    '}',
  ];
}

function endpointChain({ protocol, address, endpoints }: ServiceRule, index: number): string[] {
  const targets = endpoints.map((endpoint, place) => `${place} : ${endpoint.address.text} . ${endpoint.port}`);
  const family = address.family === 4 ? 'ip' : 'ip6';
  const choice = `numgen random mod ${targets.length} map { ${targets.join(', ')} }`;
  return [`chain endpoints_${index} {`, `meta l4proto ${protocol.toLowerCase()} dnat ${family} to ${choice}`, '}'];
}

function addressesOf(services: readonly ServiceRule[], family: Family): string[] {
  const addresses = services.map(({ address }) => address).filter((address) => address.family === family);
  return [...new Set(addresses.map(({ text }) => text))];
}

function pairsWithItself(services: readonly ServiceRule[], family: Family): string[] {
  const endpoints = services.flatMap((service) => service.endpoints.map(({ address }) => address));
  const texts = endpoints.filter((address) => address.family === family).map(({ text }) => text);
  return [...new Set(texts)].map((text) => `${text} . ${text}`);
}

/** One transaction: the table is declared so that deleting it never fails, and made anew. */
export function replaceTable(name: string, body: readonly string[]): string {
  return [`table inet ${name}`, `delete table inet ${name}`, `table inet ${name} {`, ...body, '}', ''].join('\n');
}

/** A named set; empty without elements. */
export function set(name: string, type: string, elements: readonly string[]): string {
  return `set ${name} { type ${type}; ${listed(elements)} }`;
}

function map(name: string, type: string, elements: readonly string[]): string {
  return `map ${name} { type ${type} : verdict; ${listed(elements)} }`;
}

/** nft takes no empty list. */
function listed(elements: readonly string[]): string {
  return elements.length === 0 ? '' : `elements = { ${elements.join(', ')} };`;
}
