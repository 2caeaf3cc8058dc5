import type { Writable } from 'node:stream';
import type { JsonObject } from '../../manifest/json.ts';
import { CHANNEL, channelMessage, exitStatus, failureStatus, parseClientMessage } from './channels.ts';
import type { PodProcess } from './pod-access.ts';
import { CLOSE, type MessageSocket } from './web-socket.ts';

/** Which of a process's input and outputs a client wants. */
export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/**
 * Carries a process over a client's connection: input and the terminal's size to it, output and its end to the client.
 * Whoever of the two is slow slows the other down; a client that goes away releases the process.
 * Never rejects: what goes wrong from here on is told to the client.
 */
export async function serveProcess(
  socket: MessageSocket,
  start: () => PodProcess,
  wanted: WantedStreams,
): Promise<void> {
  const status = await carry(socket, start, wanted).catch((error: unknown) =>
    failureStatus(error instanceof Error ? error.message : String(error)),
  );
  await socket.send(channelMessage(CHANNEL.error, Buffer.from(JSON.stringify(status))));
  socket.close(CLOSE.normal);
}

async function carry(socket: MessageSocket, start: () => PodProcess, wanted: WantedStreams): Promise<JsonObject> {
  const process = start();
  socket.closed.addEventListener('abort', () => process.release());
  if (socket.closed.aborted) process.release();
  void hear(socket, process, wanted.stdin ? process.input : undefined);
  const [exitCode] = await Promise.all([
    process.exitCode,
    pump(process.output, socket, wanted.stdout ? CHANNEL.stdout : undefined),
    process.errors && pump(process.errors, socket, wanted.stderr ? CHANNEL.stderr : undefined),
  ]);
  return exitStatus(exitCode);
}

/** Passes on what the client says until the connection is closed. */
async function hear(socket: MessageSocket, process: PodProcess, input: Writable | undefined): Promise<void> {
  for await (const bytes of socket.messages()) {
    const message = parseClientMessage(bytes);
    switch (message?.kind) {
      case 'input':
        if (input) await write(input, message.bytes);
        break;
      case 'inputEnd':
        input?.end();
        break;
      case 'resize':
        process.resize(message.size);
        break;
      case 'nothing':
        break;
      case undefined:
        socket.close(CLOSE.protocolError, 'no message of this protocol');
    }
  }
}

/** Sends output on a channel, or drops it if it has none. */
async function pump(output: AsyncIterable<Uint8Array>, socket: MessageSocket, channel?: number): Promise<void> {
  for await (const bytes of output) if (channel !== undefined) await socket.send(channelMessage(channel, bytes));
}

/** Resolves when the process's end of the pipe has the bytes, or does not want them any more. */
function write(input: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    input.write(bytes, () => resolve());
  });
}
