import { isEndpoint, type Pod } from '../model/pod.ts';
import type { IpAddress } from '../net/ip.ts';
import type { AddressMap, Entry } from './address-map.ts';
import type { Arena } from './arena.ts';
import { getOrMake } from './get-or-make.ts';
import type { Identity } from './table-state.ts';

/** A pod in the table. */
export interface PodState {
  readonly pod: Pod;
  /** Its place among the pods: an address that two endpoint pods have is the first one's. */
  order: number;
  /** Undefined for a pod that policies do not see. */
  readonly identity: Identity | undefined;
}

/** An address of a pod or a node. */
interface Address {
  readonly ip: IpAddress;
  readonly entry: Entry;
  /** The endpoint pods that have it: hardly ever more than one. */
  pods: readonly PodState[];
  /** The addresses of its node, if it is a subject's. */
  homes: readonly Address[];
  /** The addresses that have it as one of their homes; undefined until there is one. */
  hosted: Set<Address> | undefined;
  /** Where the list of these lies in the arena, 0 if there is none, and how many words of addresses it has. */
  list: number;
  listed: number;
}

const NONE: readonly Address[] = [];

/** The addresses of pods and of their nodes. */
export class Endpoints {
  readonly #arena: Arena;
  readonly #map: AddressMap;
  readonly #addresses = new Map<string, Address>();
  #stale = new Set<Address>(); // nodes' addresses whose lists are not what they host

  constructor(arena: Arena, map: AddressMap) {
    this.#arena = arena;
    this.#map = map;
  }

  /** The endpoint pod that an address belongs to; undefined if there is none. @param text the address's. */
  ownerOf(text: string): PodState | undefined {
    const pods = this.#addresses.get(text)?.pods ?? [];
    return pods.length < 2 ? pods[0] : pods.reduce((one, other) => (other.order < one.order ? other : one));
  }

  /** Puts one pod in the place of another, either of which may be none. */
  replace(before: PodState | undefined, after: PodState | undefined): void {
    const changed = new Set<Address>();
    for (const ip of addressesOf(before)) {
      const address = this.#at(ip);
      address.pods = address.pods.filter((state) => state !== before);
      changed.add(address);
    }
    for (const ip of addressesOf(after)) {
      const address = this.#at(ip);
      if (after) address.pods = address.pods.length === 0 ? [after] : [...address.pods, after];
      changed.add(address);
    }
    for (const address of changed) this.#put(address);
  }

  /** Gives the addresses that several pods have to the first of them, after their order has changed. */
  settle(): void {
    for (const address of this.#addresses.values()) if (address.pods.length > 1) this.#put(address);
  }

  /** Makes the lists of nodes that have to be made anew. Cost: for each, the addresses that it hosts. */
  build(): void {
    for (const node of this.#stale) {
      if (node.list !== 0) this.#arena.free(node.list, listWords(node.listed));
      const words = [...(node.hosted ?? NONE)].flatMap(({ ip }) => ip.words);
      node.list = words.length === 0 ? 0 : this.#makeList(words, node.ip.words.length);
      node.listed = words.length;
      this.#put(node);
    }
    this.#stale = new Set();
  }

  #at(ip: IpAddress): Address {
    return getOrMake(this.#addresses, ip.text, () => {
      return { ip, entry: this.#map.entryOf(ip), pods: [], homes: NONE, hosted: undefined, list: 0, listed: 0 };
    });
  }

  #put(address: Address): void {
    const { ip, entry, pods, hosted, list } = address;
    const owner = this.ownerOf(ip.text);
    this.#settleIn(address, owner);
    if (pods.length > 0 || hosted?.size || list !== 0) {
      this.#map.put(entry, { identity: owner?.identity, hosted: list });
      return;
    }
    this.#addresses.delete(ip.text);
    this.#stale.delete(address);
    this.#map.put(entry, undefined);
  }

  /** Lets the addresses of the owner's node host this one, if the owner is a subject: others are denied nothing. */
  #settleIn(address: Address, owner: PodState | undefined): void {
    const nodes = owner?.identity?.isSubject ? owner.pod.nodeAddresses : [];
    const homes = nodes.filter(({ family }) => family === address.ip.family);
    const before = address.homes;
    if (homes.length === before.length && homes.every(({ text }, index) => text === before[index]?.ip.text)) return;
    for (const home of before) {
      home.hosted?.delete(address);
      this.#stale.add(home);
    }
    address.homes = homes.map((ip) => this.#at(ip));
    for (const home of address.homes) {
      home.hosted = (home.hosted ?? new Set()).add(address);
      if (home.hosted.size === 1) this.#put(home); // so that the map keeps its entry
      this.#stale.add(home);
    }
  }

  /** @param width words of an address. */
  #makeList(words: readonly number[], width: number): number {
    const list = this.#arena.alloc(listWords(words.length));
    this.#arena.words[list] = words.length / width;
    this.#arena.words.set(words, list + 1);
    return list;
  }
}

/** Words of a list's block: a power of two, so that lists that grow use few sizes. */
function listWords(listed: number): number {
  return 1 << (32 - Math.clz32(listed));
}

/** The addresses that policies see a pod by. */
function addressesOf(state: PodState | undefined): readonly IpAddress[] {
  return state && isEndpoint(state.pod) ? state.pod.addresses : [];
}
