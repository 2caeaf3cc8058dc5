import { PassThrough } from 'node:stream';
import { pacedWrite } from '../../apiserver/streams/paced-write.ts';
import type { ContainerLog, OutputName } from './container-log.ts';

/** What a client that is attached sees of a container's outputs, from then on. */
export interface OutputView {
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
}

const EARLY_BYTES = 64 << 10;

/** The outputs of a run of a container: its log, and the clients that are attached. */
export class ContainerOutput {
  readonly log: ContainerLog;
  readonly #views = new Set<OutputView>();
  /** What came before the first client, for containers that are made to be attached to. */
  #early: { readonly output: OutputName; readonly bytes: Uint8Array }[] | undefined;
  #earlyBytes = 0;

  constructor(log: ContainerLog, { keepEarly }: { readonly keepEarly: boolean }) {
    this.log = log;
    this.#early = keepEarly ? [] : undefined;
  }

  /** Takes output. Resolves when every attached client has taken it or is gone: a slow one slows the container down. */
  async write(output: OutputName, bytes: Uint8Array): Promise<void> {
    this.log.append(output, bytes);
    if (this.#early && this.#earlyBytes + bytes.length <= EARLY_BYTES) {
      this.#early.push({ output, bytes });
      this.#earlyBytes += bytes.length;
    }
    await Promise.all([...this.#views].map((view) => pacedWrite(view[output], bytes)));
  }

  /** Attaches a client; detach() is to be called when it is gone. */
  attach(): OutputView {
    const view = { stdout: new PassThrough(), stderr: new PassThrough() };
    for (const { output, bytes } of this.#early ?? []) view[output].write(bytes);
    this.#early = undefined;
    this.#views.add(view);
    return view;
  }

  detach(view: OutputView): void {
    this.#views.delete(view);
    view.stdout.destroy();
    view.stderr.destroy();
  }

  /** Says that nothing more will come. */
  end(): void {
    this.log.end();
    for (const view of this.#views) {
      view.stdout.end();
      view.stderr.end();
    }
  }
}
