import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';

/**
 * A connection to a Unix socket inside a container, by way of docker exec: it needs no port, no shared folder and no
 * right but to use Docker. It ends as the far side does, without a byte if that cannot be reached.
 */
export function containerStream(container: string, socket: string): Duplex {
  const child = spawn('docker', ['exec', '--interactive', container, 'nc', '-U', socket], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const { stdin, stdout } = child;
  const stream = new Duplex({
    read: () => void stdout.resume(),
    write: (chunk: Buffer, _, done) => void stdin.write(chunk, done),
    // That it has ended before is no failure: reading tells what came until then.
    final: (done) => {
      if (stdin.destroyed) done();
      else
        stdin.end(() => {
          done();
        });
    },
    destroy: (error, done) => {
      child.kill();
      done(error);
    },
  });
  stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) stdout.pause();
  });
  stdout.on('end', () => stream.push(null));
  for (const part of [child, stdin, stdout]) part.on('error', (error) => stream.destroy(error));
  return stream;
}
