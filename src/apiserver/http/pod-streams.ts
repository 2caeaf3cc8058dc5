import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ApiObject } from '../api-object.ts';

/** A request for a pod's log, a command in it, or its ports. The request may ask. */
export interface PodStreamRequest {
  /** The pod as it is stored. */
  readonly podObject: ApiObject;
  readonly subresource: 'attach' | 'exec' | 'log' | 'portforward';
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
}

/** What answers the requests that carry bytes of a pod. Errors that are to be answered are thrown as ApiErrors. */
export interface PodStreams {
  /** Plain requests: `log`, and streams asked for without an upgrade. */
  answer(stream: PodStreamRequest, response: ServerResponse): Promise<void>;
  /** Requests that take the connection over; whoever answers them owns the socket from then on. */
  upgrade(stream: PodStreamRequest, socket: Duplex, head: Buffer): Promise<void>;
}
