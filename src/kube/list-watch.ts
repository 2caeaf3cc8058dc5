import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { boundedText, getFrom, KubeError, type ApiLocation } from './api-location.ts';
import { linesOf, LineTooLong } from './lines.ts';

/** An object as the API sends it. Only what names it has been looked at. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly resourceVersion?: string };
  readonly [field: string]: unknown;
}

/** A resource to follow. `path` is that of its collection, such as `/api/v1/pods`. */
export interface KubeResource {
  readonly path: string;
  readonly apiVersion: string;
  readonly kind: string;
}

/** What hears of a resource. None of these may throw. */
export interface Listener {
  /** All objects there are, in place of all heard of before. */
  replace(objects: readonly KubeObject[], version: string): void;
  put(object: KubeObject): void;
  remove(object: KubeObject): void;
  /** All changes up to this version have been told. */
  reached(version: string): void;
  /** The connection is lost or what came cannot be used; it is tried again. What was told still holds. */
  trouble(error: Error): void;
}

const PAGE = 500; // as kubectl and informers ask
const MAX_PAGE_BYTES = 256 * 1024 * 1024;
const MAX_EVENT_BYTES = 16 * 1024 * 1024; // an object has 1.5 MiB at most (etcd)
const WATCH_SECONDS = 300; // the server ends a watch after this time, and it is begun anew
const GRACE_SECONDS = 30;
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 1_000;
const GONE = 410;

/**
 * Follows a resource as an informer does: a list, then a watch from its version, again and again. A watch that breaks
 * goes on where it was; if the server has forgotten that version (410), or sends what cannot be read, all is listed anew.
 * Source: client-go's Reflector.
 */
export class ListWatch {
  readonly #location: ApiLocation;
  readonly #resource: KubeResource;
  readonly #listener: Listener;
  readonly #stopping = new AbortController();
  #version: string | undefined;
  #pauseMs = FIRST_PAUSE_MS;

  private constructor(location: ApiLocation, resource: KubeResource, listener: Listener) {
    this.#location = location;
    this.#resource = resource;
    this.#listener = listener;
  }

  /** Begins to follow; until stop() nothing ends it. */
  static start(location: ApiLocation, resource: KubeResource, listener: Listener): ListWatch {
    const watch = new ListWatch(location, resource, listener);
    void watch.#run();
    return watch;
  }

  stop(): void {
    this.#stopping.abort();
  }

  #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!this.#isStopped()) {
      try {
        if (this.#version === undefined) await this.#list();
        await this.#watch(this.#version ?? '');
      } catch (error) {
        if (this.#isStopped()) return;
        // A connection that broke is taken up where it was; after anything else it is not known where that is.
        if (!isConnectionError(error)) this.#version = undefined;
        if (!(error instanceof KubeError && error.code === GONE)) this.#listener.trouble(asError(error));
      }
      await delay(this.#pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
      this.#pauseMs = Math.min(MAX_PAUSE_MS, this.#pauseMs * 2);
    }
  }

  async #list(): Promise<void> {
    const objects: KubeObject[] = [];
    let continueToken = '';
    let version = '';
    do {
      const query = new URLSearchParams({ limit: String(PAGE), ...(continueToken && { continue: continueToken }) });
      const response = await this.#get(query);
      const page = listOf(JSON.parse(await boundedText(response, MAX_PAGE_BYTES)));
      for (const item of page.items) objects.push(this.#objectOf(item));
      ({ continueToken, version } = page);
    } while (continueToken !== '');
    this.#version = version;
    this.#listener.replace(objects, version);
  }

  /** Returns when the server has ended the watch in good order. */
  async #watch(from: string): Promise<void> {
    const query = new URLSearchParams({
      watch: 'true',
      resourceVersion: from,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(WATCH_SECONDS),
    });
    const response = await this.#get(query);
    const overdue = setTimeout(
      () => {
        response.destroy(new KubeError(0, 'the server has not ended the watch in time'));
      },
      (WATCH_SECONDS + GRACE_SECONDS) * 1000,
    );
    try {
      for await (const line of linesOf(response, MAX_EVENT_BYTES)) this.#hear(JSON.parse(line));
    } finally {
      clearTimeout(overdue);
      response.destroy();
    }
  }

  #hear(event: unknown): void {
    const { type, object } = recordOf(event, 'a watch event');
    if (type === 'ERROR') {
      const { code, message } = recordOf(object, 'a Status');
      throw new KubeError(typeof code === 'number' ? code : 0, `the watch ended: ${String(message)}`);
    }
    const version = versionOf(object);
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#listener.put(this.#objectOf(object));
        break;
      case 'DELETED':
        this.#listener.remove(this.#objectOf(object));
        break;
      case 'BOOKMARK':
        break;
      default:
        throw new KubeError(0, `an event of an unknown type: ${JSON.stringify(type)}`);
    }
    this.#version = version;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#listener.reached(version);
  }

  #get(query: URLSearchParams): Promise<IncomingMessage> {
    return getFrom(this.#location, `${this.#resource.path}?${query.toString()}`, this.#stopping.signal);
  }

  /** Items of a list do not say what they are. */
  #objectOf(value: unknown): KubeObject {
    const object = recordOf(value, 'an object');
    const metadata = recordOf(object.metadata, 'metadata');
    if (typeof metadata.name !== 'string') throw new KubeError(0, 'an object without a name');
    const { apiVersion, kind } = this.#resource;
    return { ...object, apiVersion, kind, metadata } as KubeObject;
  }
}

interface Page {
  readonly items: readonly unknown[];
  readonly version: string;
  readonly continueToken: string;
}

function listOf(value: unknown): Page {
  const list = recordOf(value, 'a list');
  const metadata = recordOf(list.metadata, 'the metadata of a list');
  const items = list.items ?? [];
  if (!Array.isArray(items)) throw new KubeError(0, 'a list without items');
  return {
    items,
    version: versionOf(list),
    continueToken: typeof metadata.continue === 'string' ? metadata.continue : '',
  };
}

function versionOf(object: unknown): string {
  const { resourceVersion } = recordOf(recordOf(object, 'an object').metadata, 'metadata');
  if (typeof resourceVersion !== 'string') throw new KubeError(0, 'an object without a resourceVersion');
  return resourceVersion;
}

function recordOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new KubeError(0, `${what} is expected, the server sent ${value === null ? 'null' : typeof value}`);
  }
  return value as Record<string, unknown>;
}

/** Whether nothing is wrong but the connection. */
function isConnectionError(error: unknown): boolean {
  return ![KubeError, LineTooLong, SyntaxError].some((kind) => error instanceof kind);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
