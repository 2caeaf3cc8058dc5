import type { JsonObject } from '../../manifest/json.ts';

/** A command that says by its exit code whether a container is healthy; asked often only while that starts. */
export function healthcheck(whileStartingMs: number, ...test: readonly string[]): JsonObject {
  return { test: ['CMD', ...test], interval: '10s', start_period: '30s', start_interval: `${whileStartingMs}ms` };
}
