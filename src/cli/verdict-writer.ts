import type { Direction } from '../model/policy.ts';
import type { Connection, DirectionVerdict } from '../model/verdict.ts';
import type { IpAddress } from '../net/ip.ts';
import { directionJson } from '../report/verdict-json.ts';
import { connectionDecider } from '../table/connection-decider.ts';
import { DENIED } from '../table/decider.ts';
import type { PolicyTable } from '../table/policy-table.ts';

const KEPT = 1 << 16; // subjects; more than most clusters have addresses

/** What one direction of a subject's connections comes to whenever it denies, and where no policy isolates it at all. */
interface Fixed {
  denied?: string;
  open?: string;
}

/**
 * Writes the verdicts of one table as JSON: the text of verdictReport(). Only rules that allow are
 * looked for each time: which policies isolate a pod without a match depends on the pod alone, so
 * that text is kept. Cost: a decision, and an explanation where a rule allows.
 */
export class VerdictWriter {
  readonly #table: PolicyTable;
  readonly #decide: (connection: Connection) => number;
  readonly #fixed: Record<Direction, Map<string, Fixed>> = { egress: new Map(), ingress: new Map() };

  constructor(table: PolicyTable) {
    this.#table = table;
    this.#decide = connectionDecider(table.buffer);
  }

  /** The report's fields without the braces around them, to be put behind others. */
  fields(connection: Connection): string {
    const denied = this.#decide(connection);
    const { source, destination } = connection;
    let egress = this.#known('egress', source, denied);
    let ingress = this.#known('ingress', destination, denied);
    if (egress === undefined || ingress === undefined) {
      const verdict = this.#table.explain(connection);
      egress = this.#keep('egress', source, verdict.egress);
      ingress = this.#keep('ingress', destination, verdict.ingress);
    }
    return `"verdict":"${denied === 0 ? 'allow' : 'deny'}","egress":${egress},"ingress":${ingress}`;
  }

  #known(direction: Direction, subject: IpAddress, denied: number): string | undefined {
    const fixed = this.#fixed[direction].get(subject.text);
    return (denied & DENIED[direction]) === 0 ? fixed?.open : fixed?.denied;
  }

  #keep(direction: Direction, subject: IpAddress, verdict: DirectionVerdict): string {
    const text = directionJson(verdict);
    if (verdict.kind !== 'no-rule' && verdict.kind !== 'not-isolated') return text;
    const all = this.#fixed[direction];
    if (all.size >= KEPT) all.clear();
    all.set(subject.text, verdict.kind === 'no-rule' ? { denied: text } : { open: text });
    return text;
  }
}
