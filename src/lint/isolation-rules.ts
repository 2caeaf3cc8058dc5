import { fieldOf, isList, isObject, type JsonObject } from '../manifest/json.ts';
import type { ManifestObject } from '../manifest/manifest-object.ts';
import { inPolicy, type Found } from './finding.ts';
import type { LintView, PolicyView } from './lint-view.ts';

const SYSTEM_NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease'];

/** `egress: []` that was to deny egress, where nothing says that egress is isolated. */
export function egressNotIsolated({ policies }: LintView): Found[] {
  return policies.flatMap(({ policy, object }) => {
    const egress = listAt(object, 'egress');
    if (egress?.length !== 0 || (listAt(object, 'policyTypes') ?? []).length > 0) return [];
    return inPolicy(policy, sourceAt(object, 'egress'), {
      severity: 'warning',
      message: 'egress: [] isolates nothing: without policyTypes, only ingress is isolated',
      why: 'policyTypes defaults to Ingress, and to Egress as well only where there is an egress rule',
      fix: 'write policyTypes: [Egress], with Ingress if that is to be isolated too',
    });
  });
}

/** Rules of a direction that policyTypes leaves out. */
export function rulesIgnored({ policies }: LintView): Found[] {
  return policies.flatMap((view) => [
    ...ignoredSide(view, { direction: 'egress', type: 'Egress' }),
    ...ignoredSide(view, { direction: 'ingress', type: 'Ingress' }),
  ]);
}

function ignoredSide(
  { policy, object }: PolicyView,
  { direction, type }: { direction: 'ingress' | 'egress'; type: string },
): Found[] {
  if (policy[direction].kind !== 'ignored' || (listAt(object, direction) ?? []).length === 0) return [];
  return [
    inPolicy(policy, sourceAt(object, direction), {
      severity: 'warning',
      message: `the ${direction} rules are ignored: policyTypes does not have ${type}`,
      why: 'a direction that policyTypes leaves out is not isolated, whatever rules are written for it',
      fix: `add ${type} to policyTypes, or take the rules out`,
    }),
  ];
}

/** Namespaces with pods in which a new pod would take connections from everywhere. */
export function noDefaultDeny({ cluster, objects, pods, policies }: LintView): Found[] {
  return [...Map.groupBy(pods, ({ namespace }) => namespace)].flatMap(([namespace, own]) => {
    if (SYSTEM_NAMESPACES.includes(namespace)) return [];
    const ofNamespace = policies.filter(({ policy }) => policy.namespace === namespace);
    const isolating = ofNamespace.filter(({ policy }) => policy.ingress.kind === 'isolates');
    if (isolating.some(({ policy }) => policy.podSelector.requirements.length === 0)) return [];
    const isolated = new Set(isolating.flatMap(({ subjects }) => subjects));
    const open = own.filter((pod) => !isolated.has(pod));
    const written = objects.findLast(({ kind, name }) => kind === 'Namespace' && name === namespace);
    const { file, line } = written?.source ?? own[0]?.source ?? { file: '', line: 0 };
    const now = open.length === 0 ? 'all are selected by name now' : `${open.length} of ${own.length} are open now`;
    return {
      ...{
        severity: 'info',
        file,
        line,
        kind: 'Namespace',
        namespace,
        name: cluster.namespaces.get(namespace)?.name ?? namespace,
      },
      message: `no policy isolates every pod of namespace ${namespace} for ingress; ${now}`,
      why: 'a pod that no policy selects takes connections from everywhere, a new one too',
      fix: 'add a policy with podSelector: {} and policyTypes: [Ingress] and no rules',
    };
  });
}

/** The list in that field of the spec; null counts as empty. @returns undefined if the field is not written. */
function listAt({ value }: ManifestObject, field: string): readonly unknown[] | undefined {
  const spec: JsonObject = specOf(value);
  const list = fieldOf(spec, field);
  if (list === undefined) return undefined;
  return isList(list) ? list : [];
}

function specOf(value: JsonObject): JsonObject {
  const spec = fieldOf(value, 'spec');
  return isObject(spec) ? spec : {};
}

function sourceAt(object: ManifestObject, field: string): { file: string; line: number } {
  return { file: object.source.file, line: object.lineOf(['spec', field]) };
}
