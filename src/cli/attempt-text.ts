import type { ExpectationResult } from '../lab/trial.ts';

/** What was tried, in a line: `default/client $ curl http://web`. */
export function attemptText(result: ExpectationResult): string {
  switch (result.kind) {
    case 'run':
      return `${result.pod} $ ${result.expectation.command}`;
    case 'connect': {
      const { from, to, port, protocol } = result.expectation;
      return `connect ${from} -> ${to} ${port}/${protocol}`;
    }
    case 'pod': {
      const { pod, is } = result.expectation;
      return `pod ${pod.namespace}/${pod.name} is ${is}`;
    }
    case 'started': {
      const { started, output, withinMs } = result.expectation;
      return output ? `${started} writes /${output.source}/` : `${started} is silent for ${withinMs / 1000} s`;
    }
  }
}
