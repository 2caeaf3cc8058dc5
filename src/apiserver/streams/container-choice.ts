import { listAt, nameOf, textAt, type ApiObject } from '../api-object.ts';
import { badRequest } from '../status.ts';

/**
 * The container of a pod that a request means: the one that it names, or the only one. Throws a 400 with the API server's
 * message. Source: pkg/registry/core/pod/strategy.go, validateContainer.
 */
export function containerIn(pod: ApiObject, asked: string): string {
  const main = namesIn(pod, 'containers');
  const init = namesIn(pod, 'initContainers');
  if (asked !== '') {
    if (main.includes(asked) || init.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${nameOf(pod)}`);
  }
  const [only] = main;
  if (only !== undefined && main.length === 1) return only;
  const others = init.length > 0 ? ` or one of the init containers: [${init.join(' ')}]` : '';
  throw badRequest(
    `a container name must be specified for pod ${nameOf(pod)}, choose one of: [${main.join(' ')}]${others}`,
  );
}

function namesIn(pod: ApiObject, field: string): string[] {
  return listAt(pod, 'spec', field).map((container) => textAt(container, 'name'));
}
