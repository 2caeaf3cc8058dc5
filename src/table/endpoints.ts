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
  /** Its id as a node's address, from 1; 0 while it is none. */
  nodeId: number;
  /** How many endpoint pods are on its node. */
  nodeOf: number;
}

/** A node, known by its addresses alone. */
interface NodeState {
  readonly offset: number;
  readonly words: number;
  pods: number;
}

/** The addresses of pods and of their nodes. */
export class Endpoints {
  readonly #arena: Arena;
  readonly #map: AddressMap;
  readonly #addresses = new Map<string, Address>();
  readonly #nodes = new Map<string, NodeState>();
  #lastNodeId = 0;

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
    if (after) this.#enterNode(after);
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
    if (before) this.#leaveNode(before);
  }

  /** Gives the addresses that several pods have to the first of them, after their order has changed. */
  settle(): void {
    for (const address of this.#addresses.values()) if (address.pods.length > 1) this.#put(address);
  }

  #at(ip: IpAddress): Address {
    return getOrMake(this.#addresses, ip.text, () => {
      return { ip, entry: this.#map.entryOf(ip), pods: [], nodeId: 0, nodeOf: 0 };
    });
  }

  #put(address: Address): void {
    const { ip, entry, pods, nodeId } = address;
    if (pods.length === 0 && nodeId === 0) {
      this.#addresses.delete(ip.text);
      this.#map.put(entry, undefined);
      return;
    }
    const owner = this.ownerOf(ip.text);
    // Where a pod runs is of no account to its peers: without it, those that are alike share a record.
    const node = owner?.identity?.isSubject ? this.#nodes.get(nodeKey(owner.pod))?.offset : undefined;
    this.#map.put(entry, { identity: owner?.identity, nodeAddress: nodeId, node: node ?? 0 });
  }

  #enterNode(state: PodState): void {
    const { pod, identity } = state;
    if (!identity || pod.nodeAddresses.length === 0) return;
    const key = nodeKey(pod);
    const known = this.#nodes.get(key);
    if (known) {
      known.pods += 1;
      return;
    }
    const addresses = pod.nodeAddresses.map((ip) => this.#at(ip));
    for (const address of addresses) {
      address.nodeOf += 1;
      if (address.nodeOf > 1) continue;
      address.nodeId = this.#lastNodeId += 1;
      this.#put(address);
    }
    const offset = this.#arena.alloc(addresses.length + 1);
    this.#arena.words.set(
      addresses.map(({ nodeId }) => nodeId),
      offset,
    );
    this.#nodes.set(key, { offset, words: addresses.length + 1, pods: 1 });
  }

  #leaveNode({ pod, identity }: PodState): void {
    if (!identity || pod.nodeAddresses.length === 0) return;
    const key = nodeKey(pod);
    const node = this.#nodes.get(key);
    if (!node) return;
    node.pods -= 1;
    if (node.pods > 0) return;
    this.#nodes.delete(key);
    this.#arena.free(node.offset, node.words);
    for (const ip of pod.nodeAddresses) {
      const address = this.#at(ip);
      address.nodeOf -= 1;
      if (address.nodeOf > 0) continue;
      address.nodeId = 0;
      this.#put(address);
    }
  }
}

/** The addresses that policies see a pod by. */
function addressesOf(state: PodState | undefined): readonly IpAddress[] {
  return state && isEndpoint(state.pod) ? state.pod.addresses : [];
}

function nodeKey({ nodeAddresses }: Pod): string {
  const [first] = nodeAddresses;
  return nodeAddresses.length === 1 && first ? first.text : nodeAddresses.map(({ text }) => text).join(' ');
}
