import type { Direction } from '../model/policy.ts';
import type { Connection, DirectionVerdict } from '../model/verdict.ts';
import type { IpAddress } from '../net/ip.ts';
import { directionJson } from '../report/verdict-json.ts';
import { connectionDecider } from '../table/connection-decider.ts';
import { DENIED } from '../table/decider.ts';
import type { PolicyTable } from '../table/policy-table.ts';
import { remember } from './remember.ts';

const KEPT = 1 << 16; // texts of each sort; more than most clusters have addresses

/** What one direction of a subject's connections comes to whenever it denies, and where no policy isolates it at all. */
interface Fixed {
  denied?: string;
  open?: string;
}

/** One direction of a connection. */
interface Side {
  readonly direction: Direction;
  readonly subject: IpAddress;
  /** The same for all connections whose verdict has the same reasons; undefined if that is not known. */
  readonly kind: string | undefined;
}

/**
 * Writes the verdicts of one table as JSON: the text of verdictReport(). Which policies isolate a pod
 * without a match depends on the pod alone, and which rules allow on what kinds of addresses the two
 * are, so these texts are kept. Cost: a decision, and an explanation for what is new.
 */
export class VerdictWriter {
  readonly #table: PolicyTable;
  readonly #decide: (connection: Connection) => number;
  readonly #kindOf: (address: IpAddress) => number;
  readonly #fixed: Record<Direction, Map<string, Fixed>> = { egress: new Map(), ingress: new Map() };
  readonly #allowed: Record<Direction, Map<string, string>> = { egress: new Map(), ingress: new Map() };

  constructor(table: PolicyTable) {
    this.#table = table;
    this.#decide = connectionDecider(table.buffer);
    this.#kindOf = remember(KEPT, (address: IpAddress) => table.kindOf(address));
  }

  /** The report's fields without the braces around them, to be put behind others. */
  fields(connection: Connection): string {
    const denied = this.#decide(connection);
    const { source, destination } = connection;
    const kind = this.#kindOfConnection(connection);
    const from: Side = { direction: 'egress', subject: source, kind };
    const to: Side = { direction: 'ingress', subject: destination, kind };
    let egress = this.#known(from, denied);
    let ingress = this.#known(to, denied);
    if (egress === undefined || ingress === undefined) {
      const verdict = this.#table.explain(connection);
      egress = this.#keep(from, verdict.egress);
      ingress = this.#keep(to, verdict.ingress);
    }
    return `"verdict":"${denied === 0 ? 'allow' : 'deny'}","egress":${egress},"ingress":${ingress}`;
  }

  #kindOfConnection({ source, destination, transport, port }: Connection): string | undefined {
    const [from, to] = [this.#kindOf(source), this.#kindOf(destination)];
    if (from === 0 || to === 0 || source.text === destination.text) return undefined;
    return `${from} ${to} ${transport} ${port}`;
  }

  #known({ direction, subject, kind }: Side, denied: number): string | undefined {
    const fixed = this.#fixed[direction].get(subject.text);
    if ((denied & DENIED[direction]) !== 0) return fixed?.denied;
    return fixed?.open ?? (kind === undefined ? undefined : this.#allowed[direction].get(kind));
  }

  #keep({ direction, subject, kind }: Side, verdict: DirectionVerdict): string {
    const text = directionJson(verdict);
    switch (verdict.kind) {
      case 'no-rule':
        put(this.#fixed[direction], subject.text, { denied: text });
        break;
      case 'not-isolated':
        put(this.#fixed[direction], subject.text, { open: text });
        break;
      case 'rules':
        if (kind !== undefined) put(this.#allowed[direction], kind, text);
        break;
      default: // between a pod and itself or its node
    }
    return text;
  }
}

function put<V>(map: Map<string, V>, key: string, value: V): void {
  if (map.size >= KEPT) map.clear();
  map.set(key, value);
}
