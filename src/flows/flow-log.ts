import type { FlowEvent } from './flow-event.ts';

/** The last flow events of a lab, and whoever waits for the next ones. */
export class FlowLog {
  readonly #capacity: number;
  readonly #catchUp: () => void;
  readonly #followers = new Set<(event: FlowEvent) => void>();
  #events: FlowEvent[] = [];

  /**
   * @param capacity how many events it keeps; older ones are forgotten.
   * @param catchUp adds what has happened by now and is still on its way here.
   */
  constructor(capacity: number, catchUp: () => void = () => undefined) {
    this.#capacity = capacity;
    this.#catchUp = catchUp;
  }

  /** Events kept, oldest first, up to now. */
  get events(): readonly FlowEvent[] {
    this.#catchUp();
    return this.#events.slice(-this.#capacity);
  }

  /** Cost: constant on average. */
  add(event: FlowEvent): void {
    this.#events.push(event);
    // Twice the capacity before a cut: one copy for every `capacity` events.
    if (this.#events.length >= 2 * this.#capacity) this.#events = this.#events.slice(-this.#capacity);
    for (const follower of this.#followers) follower(event);
  }

  /** Calls `follower` with each event to come. @returns what ends that. */
  follow(follower: (event: FlowEvent) => void): () => void {
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }
}
