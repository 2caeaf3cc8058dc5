import type { JsonObject } from '../../manifest/json.ts';
import { apiVersionOf, RESOURCES, type Resource } from '../registry.ts';
import { REVIEWS, type ReviewKind } from './reviews.ts';

/** The media type of aggregated discovery; the answer has to repeat it letter by letter. */
export const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** A group and its one version; `v1` alone is the core group. */
interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** `/version`. kubectl's dispatcher runs the client of the minor version that it says. */
export const VERSION = {
  major: '1',
  minor: '32',
  gitVersion: 'v1.32.0+netpol-lab',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
} satisfies JsonObject;

/** The groups served, each with its one version; the core group is not among them. */
function namedGroups(): GroupVersion[] {
  const all = [...RESOURCES, ...REVIEWS, { group: 'autoscaling', version: 'v1' }].filter(({ group }) => group !== '');
  return [...new Map(all.map(({ group, version }) => [group, { group, version }])).values()];
}

/** `/api` in its old form. */
export function apiVersions(address: string): JsonObject {
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: address }];
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs };
}

/** `/apis` in its old form. */
export function apiGroups(): JsonObject {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: namedGroups().map(groupOf) };
}

/** `/apis/GROUP`. @returns undefined if the group is not served. */
export function apiGroup(name: string): JsonObject | undefined {
  const found = namedGroups().find(({ group }) => group === name);
  return found && { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(found) };
}

/** `/api/v1` and `/apis/GROUP/VERSION`. @returns undefined if the version is not served. */
export function apiResources(wanted: GroupVersion): JsonObject | undefined {
  const served = wanted.group === '' ? wanted.version === 'v1' : namedGroups().some((one) => isSame(one, wanted));
  if (!served) return undefined;
  const resources = [
    ...RESOURCES.filter((one) => isSame(one, wanted)).flatMap(resourceEntries),
    ...REVIEWS.filter((one) => isSame(one, wanted)).map(reviewEntry),
  ];
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf(wanted), resources };
}

/** `/api` (the core group alone) or `/apis` (all others) in one answer. */
export function aggregated(core: boolean): JsonObject {
  const groups = core ? [{ group: '', version: 'v1' }] : namedGroups();
  const items = groups.map((one) => ({
    metadata: one.group === '' ? {} : { name: one.group },
    versions: [
      {
        version: one.version,
        freshness: 'Current',
        resources: [
          ...RESOURCES.filter((resource) => isSame(resource, one)).map(aggregatedEntry),
          ...REVIEWS.filter((review) => isSame(review, one)).map(aggregatedReview),
        ],
      },
    ],
  }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function isSame(one: GroupVersion, other: GroupVersion): boolean {
  return one.group === other.group && one.version === other.version;
}

function groupOf(one: GroupVersion): JsonObject {
  const version = { groupVersion: apiVersionOf(one), version: one.version };
  return { name: one.group, versions: [version], preferredVersion: version };
}

function resourceEntries(resource: Resource): JsonObject[] {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories, subresources } = resource;
  return [
    {
      name: plural,
      singularName: singular,
      namespaced,
      kind,
      verbs,
      ...(shortNames.length > 0 ? { shortNames } : {}),
      ...(categories.length > 0 ? { categories } : {}),
    },
    ...subresources.map((sub) => ({
      name: `${plural}/${sub.name}`,
      singularName: '',
      namespaced,
      ...(sub.group === resource.group ? {} : { group: sub.group, version: sub.version }),
      kind: sub.kind,
      verbs: sub.verbs,
    })),
  ];
}

function reviewEntry({ plural, singular, kind }: ReviewKind): JsonObject {
  return { name: plural, singularName: singular, namespaced: false, kind, verbs: ['create'] };
}

function aggregatedEntry(resource: Resource): JsonObject {
  const { plural, singular, namespaced, kind, group, version, verbs, shortNames, categories, subresources } = resource;
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length > 0
      ? {
          subresources: subresources.map((sub) => ({
            subresource: sub.name,
            responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
            verbs: sub.verbs,
          })),
        }
      : {}),
  };
}

function aggregatedReview({ plural, singular, kind, group, version }: ReviewKind): JsonObject {
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: 'Cluster',
    singularResource: singular,
    verbs: ['create'],
  };
}
