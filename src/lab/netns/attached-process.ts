import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { PodProcess } from '../../apiserver/streams/pod-access.ts';
import type { Container } from '../../model/pod.ts';
import type { CommandProcess } from './command-process.ts';
import type { ContainerOutput } from './container-output.ts';

/**
 * A container's process as a client that is attached sees it: what it writes from now on, until it ends or the client
 * goes. `process` is undefined for what runs without a process of its own.
 */
export function attachedTo(
  output: ContainerOutput,
  process: CommandProcess | undefined,
  { stdin, stdinOnce, tty }: Container,
): PodProcess {
  const view = output.attach();
  const input = stdin && process?.input ? new PassThrough() : undefined;
  // The container's input outlasts this client's, unless it is for one client only.
  if (process?.input) input?.pipe(process.input, { end: stdinOnce });
  const ended = Promise.all([once(view.stdout, 'close'), once(view.stderr, 'close')]);
  if (tty) view.stderr.resume();
  return {
    input,
    output: view.stdout,
    errors: tty ? undefined : view.stderr,
    exitCode: ended.then(() => 0),
    resize: (size) => process?.resize(size),
    release: () => {
      input?.end();
      output.detach(view);
    },
  };
}
