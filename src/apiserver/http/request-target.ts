import { badRequest } from '../status.ts';

/** The path and the query of a request. */
export interface RequestTarget {
  /** The path's parts, decoded; none is empty, `.` or `..`. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/**
 * Reads the target of a request. Throws a 400 for paths that mean another path to someone else: `..`, `//`, encoded
 * slashes and dots, backslashes, whole URLs.
 */
export function parseTarget(target: string): RequestTarget {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
  if (!path.startsWith('/') || /\/\/|\\|%2f|%5c|%2e|%00|[^!-~]/i.test(path))
    throw badRequest('the path is not canonical');
  const parts = path.slice(1).split('/');
  if (parts.at(-1) === '') parts.pop();
  if (parts.some((part) => part === '.' || part === '..')) throw badRequest('the path is not canonical');
  return { segments: parts.map(decoded), query };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badRequest('the path is not canonical');
  }
}
