import { z } from 'zod';
import { textMapAt, without, withMetadata, type ApiObject } from '../../apiserver/api-object.ts';
import { STAGED_POLICY } from '../../apiserver/staged-policy.ts';
import { issueText } from '../../manifest/issue.ts';
import { parseManifests } from '../../manifest/manifest.ts';
import { labelValueErrors, qualifiedNameErrors } from '../../manifest/name-rules.ts';
import { LabError } from '../../model/lab-error.ts';
import { kindNamed } from '../../model/kind-names.ts';
import { podKey } from '../../model/pod.ts';
import type { PolicyTable } from '../../table/policy-table.ts';
import type { ChangeReport, LabSpec, LabStatus, PodStatus } from '../lab-client.ts';
import { explainQuestion, predictQuestions } from '../lab-question.ts';
import type { ControlPlane } from './control-plane.ts';
import { resourceNamed } from './manifest-writes.ts';
import { podStatusOf } from './pod-report.ts';

const file = z.object({ path: z.string(), text: z.string() });
const target = z.object({ kind: z.string(), namespace: z.string(), name: z.string() });
const question = z.object({ from: z.string(), to: z.string(), protocol: z.string(), port: z.number() });

/** Bodies of the verbs. */
const BODIES = {
  apply: z.object({ files: z.array(file) }),
  stage: z.object({ files: z.array(file) }),
  delete: z.union([z.object({ files: z.array(file) }), target]),
  label: target.extend({ labels: z.record(z.string(), z.string().nullable()), overwrite: z.boolean() }),
  objects: z.object({ kind: z.string() }),
  explain: question,
  predict: z.object({ questions: z.array(question) }),
};

/** What of a lab's status its backend tells. */
export type OwnStatus = Pick<LabStatus, 'pid' | 'rootless' | 'api' | 'warnings'> & { readonly spec: LabSpec };

/** What any lab answers to the verbs of its control socket, whatever runs its pods. */
export class LabVerbs {
  readonly #plane: ControlPlane;
  readonly #table: () => PolicyTable;

  /** @param table gives the table in force. */
  constructor(plane: ControlPlane, table: () => PolicyTable) {
    this.#plane = plane;
    this.#table = table;
  }

  /** The answer to a verb. @returns undefined for a verb that is none of these. @throws LabError usage. */
  async answer(verb: string, body: unknown): Promise<unknown> {
    switch (verb) {
      case 'apply':
        return this.#plane.apply(BODIES.apply.parse(body).files);
      case 'stage':
        return this.#plane.stage(BODIES.stage.parse(body).files);
      case 'delete':
        return this.#delete(BODIES.delete.parse(body));
      case 'label':
        return this.#label(BODIES.label.parse(body));
      case 'objects':
        return this.#objects(BODIES.objects.parse(body).kind);
      case 'explain':
        return explainQuestion(this.#table(), BODIES.explain.parse(body));
      case 'predict':
        return predictQuestions(this.#table(), BODIES.predict.parse(body).questions);
      default:
        return undefined;
    }
  }

  /** What a lab says of itself. @param own what only its backend knows. */
  status({ spec, ...own }: OwnStatus): LabStatus {
    const { startedAt, resumed, policies, staged } = this.#plane;
    const { name, options, external } = spec;
    const pods = this.#podStatuses();
    const counts = { policies, staged: staged?.count ?? 0 };
    return { name, startedAt, resumed, options, external, pods, ...counts, ...own };
  }

  /** Every pod, those that have finished too, in the cluster's order. */
  #podStatuses(): PodStatus[] {
    return this.#plane.cluster.pods.flatMap((pod) => {
      const object = this.#plane.podObject(pod);
      return object ? [podStatusOf(pod, object)] : [];
    });
  }

  /** Objects of a kind as the API has them, but for the record of who wrote what, as kubectl shows them. */
  #objects(kind: string): ApiObject[] {
    const known = kindNamed(kind)?.kind ?? (kind === STAGED_POLICY.kind ? kind : undefined);
    if (known === undefined) return [];
    const { items } = this.#plane.store.objects.list(resourceNamed(known));
    return items.map((object) =>
      withMetadata(object, { ...without(object.metadata, 'managedFields'), name: object.metadata.name }),
    );
  }

  async #delete(body: z.infer<typeof BODIES.delete>): Promise<ChangeReport> {
    if (!('files' in body)) return this.#plane.delete([body]);
    const { objects, issues, warnings } = parseManifests(body.files);
    if (issues.length > 0) throw new LabError('usage', issues.map(issueText).join('\n'));
    const report = await this.#plane.delete(objects);
    return { ...report, warnings: [...warnings, ...report.warnings] };
  }

  #label({ kind, namespace, name, labels, overwrite }: z.infer<typeof BODIES.label>): Promise<ChangeReport> {
    const named = labelTarget(kind, namespace, name);
    refuseBadLabels(labels);
    const text = named.kind === 'Pod' ? `pod ${podKey(named)}` : `namespace ${name}`;
    const object = this.#plane.store.objects.get(resourceNamed(named.kind), named.namespace, name);
    if (!object) throw new LabError('usage', `no ${text} in lab ${this.#plane.name}`);
    const present = textMapAt(object, 'metadata', 'labels');
    const clash = Object.entries(labels).find(
      ([key, value]) => value !== null && (present.get(key) ?? value) !== value,
    );
    if (clash && !overwrite) {
      const value = present.get(clash[0]) ?? '';
      throw new LabError('usage', `${text} has ${clash[0]}=${value} already: change it with --overwrite`);
    }
    return this.#plane.label(named, labels);
  }
}

function labelTarget(
  kind: string,
  namespace: string,
  name: string,
): { kind: 'Pod' | 'Namespace'; namespace: string; name: string } {
  switch (kind.toLowerCase()) {
    case 'pod':
      return { kind: 'Pod', namespace, name };
    case 'namespace':
      return { kind: 'Namespace', namespace: '', name };
    default:
      throw new LabError('usage', `labels of ${kind} have no effect on policies: label a pod or a namespace`);
  }
}

function refuseBadLabels(labels: Readonly<Record<string, string | null>>): void {
  const errors = Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedNameErrors(key).map((error) => `label key "${key}": ${error}`),
    ...labelValueErrors(value ?? '').map((error) => `label value "${value ?? ''}": ${error}`),
  ]);
  if (errors.length > 0) throw new LabError('usage', errors.join('\n'));
}
