import type { JsonObject, JsonValue } from '../../manifest/json.ts';
import { numberAt } from '../api-object.ts';
import type { TerminalSize } from './pod-access.ts';

/** What a message's first byte says it belongs to. Source: k8s.io/apimachinery/pkg/util/remotecommand. */
export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;

const CLOSE = 255; // since v5: the channel in the next byte has ended

/** The subprotocols of commands that are spoken here, the best first. Both carry binary messages and a Status at the end. */
export const COMMAND_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

/** What a client says in one message. `nothing` is for what asks for nothing here. */
export type ClientMessage =
  | { readonly kind: 'input'; readonly bytes: Uint8Array }
  | { readonly kind: 'inputEnd' }
  | { readonly kind: 'resize'; readonly size: TerminalSize }
  | { readonly kind: 'nothing' };

/** Reads a client's message. @returns undefined if it breaks the protocol. */
export function parseClientMessage(message: Uint8Array): ClientMessage | undefined {
  const bytes = message.subarray(1);
  switch (message[0]) {
    case CHANNEL.stdin:
      return bytes.length === 0 ? { kind: 'nothing' } : { kind: 'input', bytes };
    case CHANNEL.resize:
      return resizeIn(bytes);
    case CLOSE:
      if (bytes.length !== 1) return undefined;
      return { kind: bytes[0] === CHANNEL.stdin ? 'inputEnd' : 'nothing' };
    default:
      return undefined;
  }
}

/** A message for the client. */
export function channelMessage(channel: number, bytes: Uint8Array): Uint8Array {
  const message = new Uint8Array(1 + bytes.length);
  message[0] = channel;
  message.set(bytes, 1);
  return message;
}

/** The Status that ends a command, on the error channel. */
export function exitStatus(exitCode: number): JsonObject {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

/** The Status that ends a command which failed by no fault of its own. */
export function failureStatus(message: string): JsonObject {
  return { metadata: {}, status: 'Failure', message, reason: 'InternalError', code: 500 };
}

function resizeIn(bytes: Uint8Array): ClientMessage | undefined {
  let size: JsonValue;
  try {
    size = JSON.parse(Buffer.from(bytes).toString('utf8')) as JsonValue;
  } catch {
    return undefined;
  }
  const [columns, rows] = [numberAt(size, 'Width'), numberAt(size, 'Height')];
  const known = isDimension(columns) && isDimension(rows);
  return known ? { kind: 'resize', size: { columns, rows } } : { kind: 'nothing' };
}

/** The kernel keeps a terminal's size in 16 bits. */
function isDimension(count: number): boolean {
  return Number.isInteger(count) && count > 0 && count < 1 << 16;
}
