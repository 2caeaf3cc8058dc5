import type { Cluster } from '../model/cluster.ts';
import type { Pod } from '../model/pod.ts';
import type { BlockPeer } from '../model/policy.ts';
import type { Connection } from '../model/verdict.ts';
import { fromWords, type Family, type IpAddress } from '../net/ip.ts';
import { Seeded } from './seeded.ts';
import { portOf } from './workload.ts';

const PORTS = [80, 443, 8080, 8443, 53, 5432, 6379, 9090, 50051, 3306, 27017, 9092, 22, 31337];

/**
 * Random connections of one family, half of them allowed, half denied, in random order: between pods
 * (half), and from or to addresses outside, half of which some ipBlock names.
 */
export function workloadQueries(
  cluster: Cluster,
  options: {
    readonly count: number;
    readonly family: Family;
    readonly seed: number;
    readonly isAllowed: (connection: Connection) => boolean;
  },
): Connection[] {
  const { count, family, seed, isAllowed } = options;
  const random = new Seeded(seed);
  const draw = new Draw(cluster, family, random);
  const left = { allowed: Math.ceil(count / 2), denied: Math.floor(count / 2) };
  const queries: Connection[] = [];
  for (let tries = 0; queries.length < count; tries++) {
    if (tries > 1000 * count) throw new Error('the workload has too few connections of one verdict');
    const connection = draw.connection();
    const kind = isAllowed(connection) ? 'allowed' : 'denied';
    if (left[kind] === 0) continue;
    left[kind] -= 1;
    queries.push(connection);
  }
  return shuffled(queries, random);
}

/** Draws connections of a cluster. */
class Draw {
  readonly #random: Seeded;
  readonly #family: Family;
  readonly #pods: readonly Pod[];
  readonly #blocks: readonly BlockPeer[];

  constructor(cluster: Cluster, family: Family, random: Seeded) {
    this.#random = random;
    this.#family = family;
    this.#pods = cluster.pods.filter(({ addresses }) => addresses.some((each) => each.family === family));
    this.#blocks = cluster.policies
      .flatMap(({ ingress, egress }) => [ingress, egress])
      .flatMap((side) => (side.kind === 'isolates' ? side.rules : []))
      .flatMap(({ peers }) => (peers.kind === 'list' ? peers.peers : []))
      .filter((peer) => peer.kind === 'block' && peer.cidr.family === family) as BlockPeer[];
  }

  connection(): Connection {
    const kind = this.#random.below(4);
    const source = kind === 2 ? this.#outside() : this.#podAddress();
    const destination = kind === 3 ? this.#outside() : this.#podAddress();
    const transport = this.#random.chance(0.85) ? 'TCP' : 'UDP';
    return { source, destination, transport, port: portOf(this.#random.pick(PORTS)) };
  }

  #podAddress(): IpAddress {
    const { addresses } = this.#random.pick(this.#pods);
    return addresses.find(({ family }) => family === this.#family) ?? this.#outside();
  }

  #outside(): IpAddress {
    if (this.#blocks.length === 0 || this.#random.chance(0.5)) {
      const first =
        this.#family === 4 ? ((11 + this.#random.below(200)) << 24) | (this.#random.word() >>> 8) : 0x20010db8;
      const rest = this.#family === 4 ? [] : [this.#random.word(), this.#random.word(), this.#random.word()];
      return fromWords([first >>> 0, ...rest]);
    }
    const { cidr } = this.#random.pick(this.#blocks);
    return fromWords(
      cidr.words.map((word, index) => {
        const fixed = Math.min(32, Math.max(0, cidr.length - index * 32));
        return fixed === 32 ? word : (word | (this.#random.word() >>> fixed)) >>> 0;
      }),
    );
  }
}

function shuffled<T>(list: readonly T[], random: Seeded): T[] {
  const all = [...list];
  for (let index = all.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    const [one, two] = [all[index] as T, all[other] as T];
    all[index] = two;
    all[other] = one;
  }
  return all;
}
