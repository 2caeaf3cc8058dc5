import { execFileSync } from 'node:child_process';
import { inNamespace } from '../../src/dataplane/libc.ts';
import { dial, tcpServer } from './attempt.ts';
import type { RelayFixture } from './relay-fixture.ts';

// Each destination has 28,000 source ports, and a port rests for a minute after its client has ended.
const PORTS = [81, 82, 83, 84, 85, 86, 87, 88];

/** What many connections met. Without a fault every list and count but `connections` is empty or 0. */
export interface SoakReport {
  readonly connections: number;
  /** What went wrong, as the client saw it. */
  readonly faults: readonly string[];
  /** Of what the relay says of the connections: those that did not end by both sides, or carried other bytes. */
  readonly oddRecords: readonly string[];
  /** Connections that the server took and no client began, and those that are open afterwards on either side. */
  readonly orphans: number;
  readonly leftOpen: readonly string[];
}

/**
 * Opens connections through a relay, sixteen at a time: each hears a greeting, has a word of its own echoed, and ends.
 */
export async function soak(fixture: RelayFixture, connections: number): Promise<SoakReport> {
  const { client, server, carried } = fixture;
  let accepted = 0;
  await using servers = new AsyncDisposableStack();
  for (const port of PORTS) servers.use(await tcpServer(server, port, { onConnection: () => (accepted += 1) }));
  const faults: string[] = [];
  const oddRecords: string[] = [];
  let begun = 0;
  let recorded = 0;
  const readRecords = (): void => {
    for (const { end, sentBytes, receivedBytes } of carried.splice(0)) {
      recorded += 1;
      if (end !== 'closed' || receivedBytes !== sentBytes + 5) oddRecords.push(`${end} ${sentBytes} ${receivedBytes}`);
    }
  };
  const worker = async (): Promise<void> => {
    while (begun < connections) {
      begun += 1;
      const fault = await converse(fixture, begun);
      if (fault) faults.push(fault);
      readRecords();
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  await fixture.until(() => {
    readRecords();
    return recorded >= connections - faults.length ? true : undefined;
  });
  const open = (of: typeof client): string[] =>
    inNamespace(of.namespace, () =>
      execFileSync('ss', ['-Htan', 'state', 'connected', 'exclude', 'time-wait'], { encoding: 'utf8' }),
    )
      .split('\n')
      .filter((line) => line !== '');
  return {
    connections,
    faults,
    oddRecords,
    orphans: accepted - connections,
    leftOpen: [...open(client), ...open(server)],
  };
}

/** @returns what went wrong, if anything. */
function converse({ client, server }: RelayFixture, number: number): Promise<string | undefined> {
  const word = `word ${number}`;
  const socket = dial(client, { address: server.address[4], port: PORTS[number % PORTS.length] ?? 0 });
  let heard = '';
  return new Promise((resolve) => {
    socket.setTimeout(10_000, () => {
      socket.destroy();
      resolve(`nothing for 10 s after "${heard}"`);
    });
    socket.on('connect', () => socket.write(word));
    socket.on('data', (data: Buffer) => {
      heard += data.toString();
      if (heard.length === 5 + word.length) socket.end();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      resolve(`${error.code ?? error.message} after "${heard}"`);
    });
    socket.on('close', () => {
      resolve(heard === `hello${word}` ? undefined : `ended after "${heard}"`);
    });
  });
}
