import type { ApiStore } from '../../apiserver/api-store.ts';
import { namespaceOf, nameOf, textAt, uidOf, versionOf, type ApiObject } from '../../apiserver/api-object.ts';
import { timestamp } from '../../apiserver/lifecycle.ts';

/** The object that an event is about. */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion?: string;
}

/** What has happened to an object. */
export interface Happening {
  readonly subject: EventSubject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Who says so: `kubelet`. */
  readonly component: string;
}

interface Kept {
  readonly happening: Happening;
  readonly name: string;
  readonly firstMs: number;
  lastMs: number;
  count: number;
  /** Whether the store is to be told of the latest count. */
  pending: boolean;
}

/** How many different events of one object may come at once, and how often one more. */
interface Allowance {
  left: number;
  sinceMs: number;
}

const KEPT_MS = 3_600_000; // the API server's --event-ttl
const KEPT_EVENTS = 1000; // some 600 KB
const WRITE_MS = 1000; // counts of a flood are written once a second
const SWEEP_MS = 60_000;
// Source: EventSourceObjectSpamFilter, k8s.io/client-go/tools/record.
const BURST = 25;
const REFILL_MS = 300_000;

/**
 * Writes Events as a cluster's components do: the same thing of the same object is one Event with a count. Their
 * number is bounded, of one object and of all; after an hour they are forgotten. They do not outlive the process.
 */
export class EventRecorder {
  readonly #store: ApiStore;
  /** By what makes them the same, the one that happened last at the end. */
  readonly #kept = new Map<string, Kept>();
  readonly #allowances = new Map<string, Allowance>();
  #writing: NodeJS.Timeout | undefined;
  #made = 0;

  constructor(store: ApiStore) {
    this.#store = store;
    setInterval(() => {
      this.#sweep();
    }, SWEEP_MS).unref();
  }

  /** Records that something has happened now. Cost: a map's look-up; a write for what is new. */
  record(happening: Happening): void {
    const now = this.#store.objects.now().getTime();
    const { subject, type, reason, message } = happening;
    const key = [subject.uid, type, reason, message].join('\n');
    const known = this.#kept.get(key);
    if (known) {
      known.count += 1;
      known.lastMs = now;
      known.pending = true;
      this.#kept.delete(key);
      this.#kept.set(key, known);
      this.#writing ??= setTimeout(() => {
        this.#writePending();
      }, WRITE_MS).unref();
      return;
    }
    if (!this.#isAllowed(subject.uid, now)) return;
    this.#made += 1;
    const name = `${subject.name}.${(now * 1000 + (this.#made % 1000)).toString(16)}`;
    const kept: Kept = { happening, name, firstMs: now, lastMs: now, count: 1, pending: false };
    this.#kept.set(key, kept);
    this.#write(kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_EVENTS && oldest !== undefined) this.#forget(oldest);
  }

  #isAllowed(uid: string, now: number): boolean {
    const allowance = this.#allowances.get(uid) ?? { left: BURST, sinceMs: now };
    const refilled = Math.floor((now - allowance.sinceMs) / REFILL_MS);
    const left = Math.min(BURST, allowance.left + refilled);
    if (left > 0) this.#allowances.set(uid, { left: left - 1, sinceMs: allowance.sinceMs + refilled * REFILL_MS });
    return left > 0;
  }

  #writePending(): void {
    this.#writing = undefined;
    for (const kept of this.#kept.values()) {
      if (kept.pending) this.#write(kept);
      kept.pending = false;
    }
  }

  #write({ happening, name, firstMs, lastMs, count }: Kept): void {
    const { subject, type, reason, message, component } = happening;
    const namespace = subject.namespace === '' ? 'default' : subject.namespace;
    if (!this.#store.get({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace })) return;
    this.#store.system.put({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject: { ...subject },
      type,
      reason,
      message,
      count,
      firstTimestamp: timestamp(new Date(firstMs)),
      lastTimestamp: timestamp(new Date(lastMs)),
      eventTime: null,
      source: { component },
      reportingComponent: component,
      reportingInstance: '',
    });
  }

  #sweep(): void {
    const now = this.#store.objects.now().getTime();
    for (const [key, { lastMs }] of this.#kept) if (now - lastMs > KEPT_MS) this.#forget(key);
    for (const [uid, { sinceMs }] of this.#allowances) {
      if (now - sinceMs > BURST * REFILL_MS) this.#allowances.delete(uid);
    }
  }

  #forget(key: string): void {
    const kept = this.#kept.get(key);
    if (!kept) return;
    this.#kept.delete(key);
    const { namespace } = kept.happening.subject;
    this.#store.system.remove({ apiVersion: 'v1', kind: 'Event', namespace: namespace || 'default', name: kept.name });
  }
}

/** The object as events name it. */
export function subjectOf(object: ApiObject): EventSubject {
  const { apiVersion, kind } = object;
  const resourceVersion = versionOf(object);
  return {
    apiVersion,
    kind,
    namespace: namespaceOf(object),
    name: nameOf(object),
    uid: uidOf(object),
    ...(resourceVersion === '' ? {} : { resourceVersion }),
  };
}

/** What looks after the object, as events name it. @returns undefined if nothing does. */
export function ownerSubjectOf(object: ApiObject): EventSubject | undefined {
  const [owner] = (object.metadata.ownerReferences ?? []) as readonly ApiObject[];
  if (!owner) return undefined;
  const text = (field: string): string => textAt(owner, field);
  return {
    apiVersion: text('apiVersion'),
    kind: text('kind'),
    namespace: namespaceOf(object),
    name: text('name'),
    uid: text('uid'),
  };
}
