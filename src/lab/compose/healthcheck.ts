import type { JsonObject } from '../../manifest/json.ts';

/**
 * A container is healthy while `test` finds a file: `-f` any, `-S` a socket. While the container starts, one check waits
 * for it, as each is a process that Docker starts, which costs as much as a tenth of a proxy's own start.
 */
export function healthyWith(kind: '-f' | '-S', path: string): JsonObject {
  return {
    test: ['CMD', 'sh', '-c', `until test ${kind} ${path}; do sleep 0.1; done`],
    interval: '10s',
    timeout: '5s',
    retries: 1,
    start_period: '30s',
    start_interval: '100ms',
  };
}
