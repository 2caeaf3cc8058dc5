import type { JsonObject } from '../../manifest/json.ts';
import { apiVersionOf } from '../registry.ts';

/** A question to the server that is asked by creating an object: nothing is stored. */
export interface ReviewKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly status: JsonObject;
}

const AUTHORIZATION = { group: 'authorization.k8s.io', version: 'v1' };

// Who has the lab's token may do everything.
const EVERY_RULE: JsonObject = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  incomplete: false,
};

/** What can be asked: whether one may, what one may, who one is. */
export const REVIEWS: readonly ReviewKind[] = [
  review(AUTHORIZATION, 'SelfSubjectAccessReview', { allowed: true, reason: 'the token of a lab allows everything' }),
  review(AUTHORIZATION, 'SelfSubjectRulesReview', EVERY_RULE),
  review({ group: 'authentication.k8s.io', version: 'v1' }, 'SelfSubjectReview', {
    userInfo: { username: 'netpol-lab', groups: ['system:masters', 'system:authenticated'] },
  }),
];

/** The review at a path. @returns undefined if there is none. */
export function reviewAt(group: string, version: string, plural: string): ReviewKind | undefined {
  return REVIEWS.find((one) => one.group === group && one.version === version && one.plural === plural);
}

/** The question with its answer. */
export function answerReview(kind: ReviewKind, asked: JsonObject): JsonObject {
  return { ...asked, apiVersion: apiVersionOf(kind), kind: kind.kind, status: kind.status };
}

function review(group: { group: string; version: string }, kind: string, status: JsonObject): ReviewKind {
  const singular = kind.toLowerCase();
  return { ...group, kind, singular, plural: `${singular}s`, status };
}
