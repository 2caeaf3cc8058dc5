import type { JsonObject } from '../../manifest/json.ts';
import { jsonOf, type ApiObject } from '../api-object.ts';
import { objectFilter } from '../selectors.ts';
import type { ObjectStore } from '../object-store.ts';
import { apiVersionOf, type Resource } from '../registry.ts';
import { ApiError, badRequest } from '../status.ts';
import { columnDefinitions, partialObject, tableOf, tableRow } from '../table/table.ts';
import type { WatchEvent } from '../watch-history.ts';
import type { Exchange } from './exchange.ts';
import { tableRequest } from './object-answers.ts';

// Who reads so slowly has to list anew.
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;
const BOOKMARK_INTERVAL_MS = 60_000;
const MAX_WATCH_SECONDS = 3600;

/** What a watch is of. */
export interface WatchedObjects {
  readonly resource: Resource;
  readonly namespace: string;
  /** The name of the one object that is watched; empty for all. */
  readonly name: string;
}

/** Answers a watch: events until the client goes, its time is over, or it does not read. */
export function answerWatch(exchange: Exchange, store: ObjectStore, watched: WatchedObjects): void {
  const { resource, namespace, name } = watched;
  const byName = name === '' ? '' : `metadata.name=${name}`;
  const fields = [exchange.parameter('fieldSelector'), byName].filter((text) => text !== '').join(',');
  const filter = objectFilter(exchange.parameter('labelSelector'), fields);
  const stream = new WatchStream(exchange, store, resource);
  const version = exchange.parameter('resourceVersion');
  const initial = exchange.parameter('sendInitialEvents') === 'true';
  if (!/^[0-9]*$/.test(version)) throw badRequest(`invalid resource version ${JSON.stringify(version)}`);
  const replays = version !== '' && version !== '0' && !initial;
  stream.begin();
  try {
    if (!replays) {
      const { items } = store.list(resource, { namespace, filter });
      for (const object of items) stream.send({ type: 'ADDED', object });
      if (initial) stream.bookmark({ 'k8s.io/initial-events-end': 'true' });
    }
    const from = Number(replays ? version : store.resourceVersion);
    stream.follow(store.watch(resource, { namespace, filter, from }, (event) => stream.send(event)));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    stream.refuse(error);
  }
}

/** The answer to one watch. */
class WatchStream {
  readonly #exchange: Exchange;
  readonly #store: ObjectStore;
  readonly #resource: Resource;
  readonly #form: Exchange['form'];
  #headed = false;

  constructor(exchange: Exchange, store: ObjectStore, resource: Resource) {
    this.#exchange = exchange;
    this.#store = store;
    this.#resource = resource;
    this.#form = exchange.form;
  }

  begin(): void {
    this.#exchange.response.writeHead(200, {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-cache, private',
    });
    this.#exchange.response.flushHeaders();
  }

  /** Keeps the answer open as long as the watch is wanted; then calls `stop`. */
  follow(stop: () => void): void {
    const { response } = this.#exchange;
    const seconds = Number(this.#exchange.parameter('timeoutSeconds')) || MAX_WATCH_SECONDS;
    const bookmarks = this.#exchange.parameter('allowWatchBookmarks') === 'true';
    const end = setTimeout(
      () => {
        if (bookmarks) this.bookmark();
        response.end();
      },
      Math.min(seconds, MAX_WATCH_SECONDS) * 1000,
    );
    const marks = bookmarks ? setInterval(() => this.bookmark(), BOOKMARK_INTERVAL_MS) : undefined;
    response.on('close', () => {
      clearTimeout(end);
      clearInterval(marks);
      stop();
    });
  }

  send({ type, object }: WatchEvent): void {
    this.#write(this.#form === 'object' ? plainEvent(type, object) : this.#event(type, this.#formed(object)));
  }

  bookmark(annotations?: JsonObject): void {
    const metadata = { resourceVersion: this.#store.resourceVersion, ...(annotations ? { annotations } : {}) };
    const bare = { kind: this.#resource.kind, apiVersion: apiVersionOf(this.#resource), metadata };
    this.#write(this.#event('BOOKMARK', this.#form === 'table' ? tableOf([], metadata, []) : bare));
  }

  /** Ends the watch with what is wrong with it, as its last event. */
  refuse(error: ApiError): void {
    this.#write(this.#event('ERROR', error.status));
    this.#exchange.response.end();
  }

  #formed(object: ApiObject): JsonObject {
    if (this.#form === 'partial') return partialObject(object);
    const { kind } = this.#resource;
    const columns = this.#headed ? [] : columnDefinitions(kind);
    this.#headed = true;
    const row = tableRow(object, tableRequest(this.#exchange, kind, this.#store.now()));
    return tableOf([row], { resourceVersion: object.metadata.resourceVersion ?? '' }, columns);
  }

  #event(type: string, object: JsonObject): Buffer {
    return Buffer.from(`${JSON.stringify({ type, object })}\n`);
  }

  #write(event: Buffer): void {
    const { response } = this.#exchange;
    if (response.destroyed || response.writableEnded) return;
    response.write(event);
    if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
  }
}

const events = new WeakMap<ApiObject, Map<string, Buffer>>();

/** An event as all watches of whole objects get it; made once, however many they are. */
function plainEvent(type: WatchEvent['type'], object: ApiObject): Buffer {
  const known = events.get(object) ?? new Map<string, Buffer>();
  const made = known.get(type) ?? Buffer.from(`{"type":"${type}","object":${jsonOf(object)}}\n`);
  known.set(type, made);
  events.set(object, known);
  return made;
}
