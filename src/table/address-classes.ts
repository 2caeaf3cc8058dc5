import type { Family, IpAddress } from '../net/ip.ts';
import { bits } from '../net/prefix.ts';
import type { CidrClasses } from './cidr-classes.ts';
import { getOrMake } from './get-or-make.ts';
import type { Endpoint, Identity } from './identities.ts';
import type { PrefixTrie } from './prefix-trie.ts';
import { WordList } from './word-list.ts';

/** What the table knows of an address: how rows name it as a peer, whose rows judge it as a subject, and its node. */
export interface AddressClass {
  readonly column: number;
  /** Undefined for addresses that are no pod's. */
  readonly identity: Identity | undefined;
  /** The address's id if it is a node's, else 0. */
  readonly nodeAddress: number;
  /** Offset in AddressClasses.nodes of its pod's node; undefined if there is none. */
  readonly node: number | undefined;
}

/** A column of the rows: what rules can tell peers apart by. */
export interface Column {
  readonly identity: Identity | undefined;
  readonly cidrClass: number;
}

/** Every address's class. */
export interface AddressClasses {
  readonly list: readonly AddressClass[];
  /** The first ones are the CIDR classes', for addresses that are no pod's. */
  readonly columns: readonly Column[];
  /** For each node, how many addresses it has, and their ids. */
  readonly nodes: WordList;
  /** For each family, from an address to its class. */
  readonly tries: Readonly<Record<Family, PrefixTrie>>;
}

/** Puts every address into its class. It adds the single addresses to the tries of `cidrs`. */
export function classifyAddresses(endpoints: ReadonlyMap<string, Endpoint>, cidrs: CidrClasses): AddressClasses {
  const columns: Column[] = Array.from({ length: cidrs.count }, (_, cidrClass) => ({ identity: undefined, cidrClass }));
  const list = columns.map((_, column): AddressClass => {
    return { column, identity: undefined, nodeAddress: 0, node: undefined };
  });
  const columnOf = new Map<string, number>();
  const classOf = new Map<string, number>();
  const nodes = new Nodes(endpoints.values());
  const add = (address: IpAddress, endpoint: Endpoint | undefined): void => {
    const trie = cidrs.tries[address.family];
    const cidrClass = trie.lookup(address.words); // the class of its CIDR still, as no address is added twice
    const identity = endpoint?.identity;
    const column = identity
      ? getOrMake(columnOf, `${identity.id} ${cidrClass}`, () => columns.push({ identity, cidrClass }) - 1)
      : cidrClass;
    const [nodeAddress, node] = [nodes.addressId(address), nodes.nodeOf(endpoint)];
    const key = `${column} ${nodeAddress} ${node ?? ''}`;
    const addressClass = getOrMake(classOf, key, () => list.push({ column, identity, nodeAddress, node }) - 1);
    trie.insert({ words: address.words, length: bits(address.family) }, addressClass);
  };
  for (const endpoint of endpoints.values()) add(endpoint.address, endpoint);
  for (const address of nodes.addresses) if (!endpoints.has(address.text)) add(address, undefined);
  return { list, columns, nodes: nodes.words, tries: cidrs.tries };
}

/** Nodes, known by their addresses alone, and the ids of these, from 1. */
class Nodes {
  readonly words = new WordList(64);
  readonly #ids = new Map<string, number>();
  readonly #offsets = new Map<string, number>();
  readonly addresses: readonly IpAddress[];

  constructor(endpoints: Iterable<Endpoint>) {
    const byText = new Map<string, IpAddress>();
    for (const { pod } of endpoints) for (const address of pod.nodeAddresses) byText.set(address.text, address);
    this.addresses = [...byText.values()];
    this.addresses.forEach(({ text }, index) => this.#ids.set(text, index + 1));
  }

  /** The id of a node's address; 0 for any other. */
  addressId(address: IpAddress): number {
    return this.#ids.get(address.text) ?? 0;
  }

  /** Offset in `words` of the node of an endpoint; undefined if it is unknown. */
  nodeOf(endpoint: Endpoint | undefined): number | undefined {
    const ids = endpoint?.pod.nodeAddresses.map((address) => this.addressId(address)) ?? [];
    if (ids.length === 0) return undefined;
    return getOrMake(this.#offsets, ids.join(), () => {
      const offset = this.words.extend(ids.length + 1);
      this.words.words.set([ids.length, ...ids], offset);
      return offset;
    });
  }
}
