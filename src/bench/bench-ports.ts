/**
 * Ports of the bench's server, in a network namespace of its own. haproxy diverts a client's connections, so those that
 * it opens itself go to ports of their own: `behind`.
 */
export const BENCH_PORT = { http: 80, httpBehind: 8080, sink: 81, sinkBehind: 8081, echo: 82 } as const;

/** What the sink answers with once the sender has ended: how many bytes have come, as a float64 in network order. */
export const COUNT_BYTES = 8;
