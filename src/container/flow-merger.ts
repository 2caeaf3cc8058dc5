import type { DirectionReport, VerdictReport } from '../flows/flow-event.ts';
import type { JudgedFlow } from './messages.ts';

/** A connection as both ends' proxies judged it. */
export type MergedFlow = Pick<
  JudgedFlow,
  'timeMs' | 'source' | 'destination' | 'protocol' | 'sourcePort' | 'port' | 'carried'
> &
  VerdictReport;

/** What the merger has to know of the lab. */
export interface MergerSetting {
  /** Whether a proxy at this address judges too. */
  hasProxy(address: string): boolean;
  /** What the lab's own table says of a side that nobody has judged. */
  predict(flow: JudgedFlow, side: JudgedFlow['side']): DirectionReport;
  emit(flow: MergedFlow): void;
}

// The second proxy judges a packet within a millisecond of the first, and reports it as soon as its gate is idle.
const PATIENCE_MS = 300;
const MAX_PENDING = 10_000;

interface Pending {
  readonly flow: JudgedFlow;
  readonly untilMs: number;
}

/**
 * Makes one report of a connection that is judged twice, as it leaves its source and as it reaches its destination. One
 * that the source's side denies is never judged by the other, nor is one to or from an address without a proxy.
 */
export class FlowMerger implements Disposable {
  readonly #setting: MergerSetting;
  /** In the order in which they came. */
  readonly #pending = new Map<string, Pending>();
  #timer: NodeJS.Timeout | undefined;
  #ends = 0;

  constructor(setting: MergerSetting) {
    this.#setting = setting;
  }

  add(flow: JudgedFlow): void {
    if (flow.carried) {
      this.#wait(`end ${this.#ends++}`, flow); // so that it is told behind the beginning
      return;
    }
    const key = `${flow.protocol} ${flow.source} ${flow.sourcePort} ${flow.destination} ${flow.port}`;
    const first = this.#pending.get(key);
    if (first) {
      this.#pending.delete(key);
      if (first.flow.side !== flow.side) {
        this.#emit(first.flow, flow);
        return;
      }
      this.#emitAlone(first.flow); // the same end has judged another try
    }
    if (this.#isAlone(flow)) {
      this.#emitAlone(flow);
      return;
    }
    this.#wait(key, flow);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #wait(key: string, flow: JudgedFlow): void {
    this.#pending.set(key, { flow, untilMs: performance.now() + PATIENCE_MS });
    if (this.#pending.size > MAX_PENDING) this.#sweep(0);
    this.#timer ??= setTimeout(() => {
      this.#sweep(performance.now());
    }, PATIENCE_MS).unref();
  }

  #isAlone({ side, source, destination, report }: JudgedFlow): boolean {
    if (source === destination) return true;
    if (side === 'ingress') return !this.#setting.hasProxy(source);
    return report.verdict === 'deny' || !this.#setting.hasProxy(destination);
  }

  /** Reports those that have waited until now; the oldest half if `nowMs` is 0. */
  #sweep(nowMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    let toGo = nowMs === 0 ? MAX_PENDING / 2 : 0;
    for (const [key, { flow, untilMs }] of this.#pending) {
      if (untilMs > nowMs && toGo-- <= 0) break;
      this.#pending.delete(key);
      this.#emitAlone(flow);
    }
    const [next] = this.#pending.values();
    if (!next) return;
    this.#timer = setTimeout(
      () => {
        this.#sweep(performance.now());
      },
      Math.max(1, next.untilMs - performance.now()),
    ).unref();
  }

  #emitAlone(flow: JudgedFlow): void {
    const side = flow.side === 'egress' ? 'ingress' : 'egress';
    this.#emit(flow, { ...flow, side, report: this.#setting.predict(flow, side) });
  }

  #emit(one: JudgedFlow, other: JudgedFlow): void {
    const [egress, ingress] = one.side === 'egress' ? [one, other] : [other, one];
    const denied = [egress, ingress].some(({ report }) => report.verdict === 'deny');
    const { timeMs, source, destination, protocol, sourcePort, port, carried } = egress;
    this.#setting.emit({
      ...{ timeMs, source, destination, protocol, sourcePort, port, carried },
      verdict: denied ? 'deny' : 'allow',
      egress: egress.report,
      ingress: ingress.report,
    });
  }
}
