import type { BackendLab } from './suite.ts';

// Hundreds of connections at once, each through a relay: on a busy machine one may wait longer than a second.
const PATIENCE_MS = 4000;

/** The lab, with more time for each connection: to a relay one more is more than a packet. */
export function patient(lab: BackendLab): BackendLab {
  const { client } = lab;
  return {
    client: {
      status: () => client.status(),
      apply: (files) => client.apply(files),
      delete: (...args) => client.delete(...args),
      label: (...args) => client.label(...args),
      probe: (requests) => client.probe(requests.map((each) => ({ ...each, timeoutMs: PATIENCE_MS }))),
      explain: (question) => client.explain(question),
    },
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}
