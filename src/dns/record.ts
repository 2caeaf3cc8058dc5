import type { SoaData } from 'dns-packet';
import type { IpAddress } from '../net/ip.ts';
import { canonical, isDomainName, parentOf } from './names.ts';

/** A resource record of class IN without its owner. Names in `data` are canonical; `ttl` is in seconds. */
export type ZoneRecord = { readonly ttl: number } & (
  | { readonly type: 'A' | 'AAAA' | 'CNAME' | 'NS' | 'PTR' | 'TXT'; readonly data: string }
  | { readonly type: 'SRV'; readonly data: SrvTarget }
  | { readonly type: 'SOA'; readonly data: Readonly<SoaData> }
);

/** What an SRV record points to. Source: RFC 2782. */
export interface SrvTarget {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** The records of every name of a tree. A name with an empty list exists without records (an empty non-terminal). */
export type Names = ReadonlyMap<string, readonly ZoneRecord[]>;

/** Collects records under their owners, so that every name above an owner exists too. */
export class NameTree {
  readonly #names = new Map<string, ZoneRecord[]>();

  /** All that was added. */
  get names(): Names {
    return this.#names;
  }

  /** Adds records, or the bare name if there are none. An owner that DNS cannot carry is left out: nobody can ask for it. */
  add(owner: string, ...records: readonly ZoneRecord[]): void {
    const name = canonical(owner);
    if (!isDomainName(name)) return;
    this.#node(name).push(...records);
  }

  #node(name: string): ZoneRecord[] {
    const known = this.#names.get(name);
    if (known) return known;
    const records: ZoneRecord[] = [];
    this.#names.set(name, records);
    if (name !== '') this.#node(parentOf(name));
    return records;
  }
}

/** The A or AAAA record of an address. */
export function addressRecord(address: IpAddress, ttl: number): ZoneRecord {
  return { type: address.family === 4 ? 'A' : 'AAAA', ttl, data: address.text };
}
