import { reviewAt, type ReviewKind } from '../discovery/reviews.ts';
import { resourceAt, type Resource } from '../registry.ts';

/** What a path below /api/v1 or /apis/GROUP/VERSION names. Texts are empty where the path ends before. */
export type Route =
  | {
      readonly kind: 'resource';
      readonly resource: Resource;
      readonly namespace: string;
      readonly name: string;
      readonly subresource: string;
    }
  | { readonly kind: 'review'; readonly review: ReviewKind };

/** The route of a path. @returns undefined if nothing is served there. */
export function routeOf(segments: readonly string[]): Route | undefined {
  const [root, ...below] = segments;
  if (root === 'api') return routeIn('', below);
  const [group = '', ...rest] = below;
  return root === 'apis' && group !== '' ? routeIn(group, rest) : undefined;
}

function routeIn(group: string, [version = '', ...path]: readonly string[]): Route | undefined {
  const [first = '', second = '', third, ...rest] = path;
  const review = reviewAt(group, version, first);
  if (review) return path.length === 1 ? { kind: 'review', review } : undefined;
  if (first === 'namespaces' && third !== undefined) {
    const resource = resourceAt(group, version, third);
    if (resource?.namespaced === true && second !== '') return resourceRoute(resource, second, rest);
  }
  const resource = resourceAt(group, version, first);
  return resource && resourceRoute(resource, '', path.slice(1));
}

function resourceRoute(resource: Resource, namespace: string, path: readonly string[]): Route | undefined {
  const [name = '', subresource = '', ...rest] = path;
  if (rest.length > 0 || (resource.namespaced && namespace === '' && name !== '')) return undefined;
  const known = subresource === '' || resource.subresources.some((one) => one.name === subresource);
  return known ? { kind: 'resource', resource, namespace, name, subresource } : undefined;
}
