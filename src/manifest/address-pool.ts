import { fromWords, type IpAddress } from '../net/ip.ts';
import { bits, parsePrefix, type Prefix } from '../net/prefix.ts';

/** How long the prefixes of pods' networks are, also of labs that have others than the usual ones. */
export const POD_NETWORK_LENGTH = { 4: 16, 6: 64 } as const;

/** The networks that pods and Services get their addresses from, as kubeadm and its kin set them up. */
export const POD_NETWORKS = [`10.244.0.0/${POD_NETWORK_LENGTH[4]}`, `fd00:10:244::/${POD_NETWORK_LENGTH[6]}`] as const;
/** Likewise for Services; the IPv6 one is as large as Kubernetes allows. */
export const SERVICE_NETWORKS = ['10.96.0.0/12', 'fd00:10:96::/108'] as const;

// .0 is the network's, .1 by custom the node's side.
const GATEWAY = 1;
const FIRST_POD = 2;
// The first few Service addresses are by custom fixed ones: .1 is the API server's, .10 the name server's.
const FIRST_SERVICE = 16;
const NAME_SERVER = 10;
const NAME_SERVER_KEY = 'kube-system/kube-dns';

/**
 * Hands out addresses, one of each family. A key keeps its addresses until it is released; an address that a key
 * has, given or handed out, goes to no other. Keys are `NAMESPACE/NAME`.
 * The Service kube-system/kube-dns always has 10.96.0.10 and fd00:10:96::a, unless others are reserved for it.
 */
export class AddressPool {
  /** Where pods' addresses come from, one network of each family. */
  readonly podNetworks: readonly string[];
  readonly #pods: AddressRange;
  readonly #services = new AddressRange(SERVICE_NETWORKS, FIRST_SERVICE);

  constructor(podNetworks: readonly string[] = POD_NETWORKS) {
    this.podNetworks = podNetworks;
    this.#pods = new AddressRange(podNetworks, FIRST_POD);
    this.#services.reserve(NAME_SERVER_KEY, this.#services.at(NAME_SERVER));
  }

  /** The node's addresses on the pods' networks. */
  get gateways(): IpAddress[] {
    return this.#pods.at(GATEWAY);
  }

  /** The pod's addresses, handed out at the first call. @returns an empty list if there are none left. */
  podAddresses(podKey: string): IpAddress[] {
    return this.#pods.addressesOf(podKey);
  }

  /** The Service's addresses, handed out at the first call. @returns an empty list if there are none left. */
  serviceAddresses(key: string): IpAddress[] {
    return this.#services.addressesOf(key);
  }

  /** Gives the pod these addresses instead of any it has. @returns the other pod's key if one has an address of them. */
  reservePod(podKey: string, addresses: readonly IpAddress[]): string | undefined {
    return this.#pods.reserve(podKey, addresses);
  }

  /** Gives the Service these addresses instead of any it has. @returns the other Service's key if one has an address of them. */
  reserveService(key: string, addresses: readonly IpAddress[]): string | undefined {
    return this.#services.reserve(key, addresses);
  }

  /** Frees the addresses of a pod that is gone. */
  releasePod(podKey: string): void {
    this.#pods.release(podKey);
  }

  /** Frees the addresses of a Service that is gone; the name server's stay its own. */
  releaseService(key: string): void {
    this.#services.release(key);
    if (key === NAME_SERVER_KEY) this.#services.reserve(key, this.#services.at(NAME_SERVER));
  }

  /** Frees the addresses of all pods but these. */
  retainPods(podKeys: ReadonlySet<string>): void {
    this.#pods.retain(podKeys);
  }

  /** Frees the addresses of all Services but these and the name server's. */
  retainServices(keys: ReadonlySet<string>): void {
    this.#services.retain(new Set([...keys, NAME_SERVER_KEY]));
  }
}

/** A network of each family, in which one offset stands for an address of each. */
class AddressRange {
  readonly #networks: readonly Prefix[];
  readonly #first: number;
  readonly #end: number;
  readonly #addresses = new Map<string, readonly IpAddress[]>();
  readonly #owners = new Map<string, string>();
  #next: number;

  constructor(networks: readonly string[], first: number) {
    this.#networks = networks.map(prefixOfText);
    this.#first = first;
    this.#next = first;
    // The last address is IPv4's broadcast. No network here is larger than a word, but the /64.
    const hostBits = Math.min(...this.#networks.map(({ family, length }) => bits(family) - length));
    this.#end = 2 ** hostBits - 1;
  }

  addressesOf(key: string): IpAddress[] {
    const known = this.#addresses.get(key);
    if (known) return [...known];
    const free = this.#takeFree();
    this.reserve(key, free);
    return free;
  }

  reserve(key: string, addresses: readonly IpAddress[]): string | undefined {
    for (const { text } of addresses) {
      const owner = this.#owners.get(text);
      if (owner !== undefined && owner !== key) return owner;
    }
    this.release(key);
    if (addresses.length > 0) this.#addresses.set(key, addresses);
    for (const { text } of addresses) this.#owners.set(text, key);
    return undefined;
  }

  release(key: string): void {
    for (const { text } of this.#addresses.get(key) ?? []) this.#owners.delete(text);
    this.#addresses.delete(key);
  }

  retain(keys: ReadonlySet<string>): void {
    for (const key of [...this.#addresses.keys()]) if (!keys.has(key)) this.release(key);
  }

  at(offset: number): IpAddress[] {
    return this.#networks.map(({ words }) =>
      fromWords(words.map((word, index) => (index === words.length - 1 ? word + offset : word))),
    );
  }

  /** The next offset at which both families are free. Going on from the last keeps a freed address unused for long. */
  #takeFree(): IpAddress[] {
    for (let tries = this.#first; tries < this.#end; tries += 1) {
      const addresses = this.at(this.#next);
      this.#next = this.#next + 1 < this.#end ? this.#next + 1 : this.#first;
      if (!addresses.some(({ text }) => this.#owners.has(text))) return addresses;
    }
    return [];
  }
}

function prefixOfText(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (!prefix) throw new TypeError(`${text} is no network`);
  return prefix;
}
