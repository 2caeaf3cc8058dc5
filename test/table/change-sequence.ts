import { expect } from 'vitest';
import type { Cluster } from '../../src/model/cluster.ts';
import { podKey } from '../../src/model/pod.ts';
import type { Connection } from '../../src/model/verdict.ts';
import { evaluate } from '../../src/reference/evaluate.ts';
import { compile } from '../../src/table/compile.ts';
import { openTable, type Decider } from '../../src/table/decider.ts';
import { LiveTable } from '../../src/table/live-table.ts';
import { build, randomCluster } from '../builders/random-cluster.ts';
import { randomConnection } from '../builders/random-connection.ts';
import { Random } from '../builders/random.ts';
import { decideByNumbers, numberOf } from '../reference/numbers.ts';
import { verdictText } from '../reference/verdict-text.ts';

const CHANGES = 12;
const CONNECTIONS = 12;

/** A change of a table, and how a failure names it. */
type Change = readonly [name: string, change: (table: LiveTable) => unknown];

/** One sequence of random changes of a live table; throws at the first answer that is not the reference's. */
export function runSequence(seed: number): void {
  const random = new Random(seed);
  const ground = [build(randomCluster(random)), build(randomCluster(random)), build(randomCluster(random))];
  const table = LiveTable.from(random.pick(ground));
  const opened = new Opened(table);
  const changes: string[] = [];
  for (let index = 0; index < CHANGES; index += 1) {
    const [name, change] = randomChange(random, table, ground);
    changes.push(name);
    change(table);
    const fresh = openTable(compile(table.cluster).buffer);
    for (let count = 0; count < CONNECTIONS; count += 1) {
      const question = randomConnection(random, random.chance(0.7) ? table.cluster : random.pick(ground));
      const got = { ...answer(table, opened.decider(), question), fresh: decideByNumbers(fresh, question) };
      const want = expected(table.cluster, question);
      if (JSON.stringify(got) !== JSON.stringify(want)) {
        const { source, destination, transport, port } = question;
        throw new Error(
          [
            `the live table differs from the reference; repeat with NETPOL_LAB_SEED=${seed} NETPOL_LAB_SEQUENCES=1`,
            ...changes,
            `${source.text} > ${destination.text} ${port}/${transport}`,
            `reference ${JSON.stringify(want)}`,
            `table     ${JSON.stringify(got)}`,
          ].join('\n'),
        );
      }
    }
  }
}

/** The decider of a table's newest buffer. */
class Opened {
  readonly #table: LiveTable;
  #buffer: SharedArrayBuffer;
  #decider: Decider;

  constructor(table: LiveTable) {
    this.#table = table;
    this.#buffer = table.buffer;
    this.#decider = openTable(this.#buffer);
  }

  decider(): Decider {
    const { buffer } = this.#table;
    expect(this.#decider.moved).toBe(buffer !== this.#buffer);
    if (buffer !== this.#buffer) this.#decider = openTable(buffer);
    this.#buffer = buffer;
    return this.#decider;
  }
}

/** Adds the object's namespace if it is not there: every namespace in use is. */
function inNamespace(table: LiveTable, object: { readonly namespace: string }, source: Cluster): void {
  const found = source.namespaces.get(object.namespace);
  if (found && !table.cluster.namespaces.has(found.name)) table.setNamespace(found);
}

function answer(table: LiveTable, decider: Decider, question: Connection): object {
  return { number: decideByNumbers(decider, question), ...verdictText(table.explain(question)) };
}

function expected(given: Cluster, question: Connection): object {
  const verdict = evaluate(given, question);
  const number = numberOf(verdict);
  return { number, ...verdictText(verdict), fresh: number };
}

function randomChange(random: Random, table: LiveTable, ground: readonly Cluster[]): Change {
  const source = random.pick(ground);
  const { cluster: now } = table;
  switch (random.between(1, 12)) {
    case 1:
      return [
        'sync',
        () => {
          table.sync(source);
        },
      ];
    case 2:
      return [
        'restart',
        () => {
          table.sync({ ...now, pods: random.some(now.pods, Infinity) });
        },
      ];
    case 3: {
      const other = random.pick([...source.namespaces.values()]);
      return [
        `namespace ${other.name}`,
        () => {
          table.setNamespace(other);
        },
      ];
    }
    case 4:
    case 5: {
      const key = podKey(random.pick(now.pods.length > 0 ? now.pods : source.pods));
      return [`no pod ${key}`, () => table.removePod(key)];
    }
    case 6:
    case 7: {
      const other = random.pick(source.pods);
      return [
        `pod ${podKey(other)}`,
        () => {
          inNamespace(table, other, source);
          table.setPod(other);
        },
      ];
    }
    case 8: {
      if (now.pods.length === 0) return ['nothing', () => undefined];
      const { labels } = random.pick(source.pods);
      const relabelled = { ...random.pick(now.pods), labels };
      return [
        `labels of ${podKey(relabelled)}`,
        () => {
          table.setPod(relabelled);
        },
      ];
    }
    case 9:
    case 10: {
      const [key] = random.some(now.policies, 1).map(podKey);
      return [`no policy ${key ?? ''}`, () => table.removePolicy(key ?? 'none')];
    }
    default: {
      const [other] = random.some(source.policies, 1);
      return [
        `policy ${other?.name ?? 'none'}`,
        () => {
          if (other) {
            inNamespace(table, other, source);
            table.setPolicy(other);
          }
        },
      ];
    }
  }
}
