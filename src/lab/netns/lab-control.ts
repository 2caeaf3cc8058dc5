import { z } from 'zod';
import { parseManifests } from '../../manifest/manifest.ts';
import { labelValueErrors, qualifiedNameErrors } from '../../manifest/name-rules.ts';
import { issueText } from '../../manifest/issue.ts';
import { parseEndpoint, podsOf } from '../../model/endpoint.ts';
import { LabError } from '../../model/lab-error.ts';
import { podKey } from '../../model/pod.ts';
import type { ChangeReport, ExecTarget, LabStatus } from '../lab-client.ts';
import { objectsOfKind } from '../lab-objects.ts';
import { explainQuestion, predictQuestions } from '../lab-question.ts';
import { podEntry } from './pod-command.ts';
import { hostPid } from './pod-network.ts';
import { probeAll } from './prober.ts';
import type { PodRuntime } from './pod-runtime.ts';
import type { RunningLab } from './running-lab.ts';

const file = z.object({ path: z.string(), text: z.string() });
const target = z.object({ kind: z.string(), namespace: z.string(), name: z.string() });
const question = z.object({ from: z.string(), to: z.string(), protocol: z.string(), port: z.number() });
const probe = z.object({
  from: z.string(),
  to: z.string(),
  protocol: z.enum(['TCP', 'UDP', 'SCTP']),
  port: z.number().int().min(1).max(65535),
  timeoutMs: z.number().positive().max(600_000),
});

/** Bodies of the control socket's verbs. */
const BODIES = {
  apply: z.object({ files: z.array(file) }),
  delete: z.union([z.object({ files: z.array(file) }), target]),
  label: target.extend({ labels: z.record(z.string(), z.string().nullable()), overwrite: z.boolean() }),
  objects: z.object({ kind: z.string() }),
  explain: question,
  predict: z.object({ questions: z.array(question) }),
  probe: z.object({ requests: z.array(probe) }),
  'exec-target': z.object({ namespace: z.string(), pod: z.string() }),
};

/** What a lab answers to the verbs of its control socket that have one answer. */
export class LabControl {
  readonly #lab: RunningLab;
  readonly #rootless: boolean;
  readonly #api: LabStatus['api'];

  constructor(lab: RunningLab, { rootless, api }: Pick<LabStatus, 'rootless' | 'api'>) {
    this.#lab = lab;
    this.#rootless = rootless;
    this.#api = api;
  }

  /** The answer to a verb. @returns undefined for a verb that is none of these. @throws LabError usage. */
  async answer(verb: string, body: unknown): Promise<unknown> {
    switch (verb) {
      case 'status':
        return this.status();
      case 'apply':
        return this.#lab.apply(BODIES.apply.parse(body).files);
      case 'delete':
        return this.#delete(BODIES.delete.parse(body));
      case 'label':
        return this.#label(BODIES.label.parse(body));
      case 'objects':
        return objectsOfKind(this.#lab.view, BODIES.objects.parse(body).kind);
      case 'explain':
        return explainQuestion(this.#lab.table, BODIES.explain.parse(body));
      case 'predict':
        return predictQuestions(this.#lab.table, BODIES.predict.parse(body).questions);
      case 'probe':
        return probeAll(this.#lab, BODIES.probe.parse(body).requests);
      case 'exec-target':
        return this.#execTarget(BODIES['exec-target'].parse(body));
      default:
        return undefined;
    }
  }

  status(): LabStatus {
    const lab = this.#lab;
    return {
      name: lab.spec.name,
      pid: hostPid(),
      rootless: this.#rootless,
      startedAt: lab.startedAt,
      options: lab.spec.options,
      api: this.#api,
      pods: lab.podStatuses(),
      external: lab.spec.external,
      policies: lab.cluster.policies.length,
      warnings: lab.warnings,
    };
  }

  #delete(body: z.infer<typeof BODIES.delete>): Promise<ChangeReport> {
    if (!('files' in body)) return this.#lab.delete([body]);
    const { objects, issues } = parseManifests(body.files);
    if (issues.length > 0) throw new LabError('usage', issues.map(issueText).join('\n'));
    return this.#lab.delete(objects);
  }

  #label({ kind, namespace, name, labels, overwrite }: z.infer<typeof BODIES.label>): Promise<ChangeReport> {
    const target = labelTarget(kind, namespace, name);
    refuseBadLabels(labels);
    const { cluster } = this.#lab;
    const text = target.kind === 'Pod' ? `pod ${podKey(target)}` : `namespace ${name}`;
    const labelled =
      target.kind === 'Pod' ? cluster.pods.find((pod) => podKey(pod) === podKey(target)) : cluster.namespaces.get(name);
    if (!labelled) throw new LabError('usage', `no ${text} in lab ${this.#lab.spec.name}`);
    const clash = Object.entries(labels).find(([key, value]) => {
      const present = labelled.labels.get(key);
      return value !== null && present !== undefined && present !== value;
    });
    if (clash && !overwrite) {
      const value = labelled.labels.get(clash[0]) ?? '';
      throw new LabError('usage', `${text} has ${clash[0]}=${value} already: change it with --overwrite`);
    }
    return this.#lab.label(target, labels);
  }

  #execTarget({ namespace, pod }: z.infer<(typeof BODIES)['exec-target']>): ExecTarget {
    const found = runningPod(this.#lab, namespace, pod);
    const pid = hostPid();
    const enter = [
      // On a terminal Ctrl-C goes to the whole process group: to the command, and not to its parent nsenter.
      ...['env', '--ignore-signal=INT,QUIT', 'nsenter'],
      ...(this.#rootless ? ['--preserve-credentials', '--user'] : []),
      ...[`--target=${pid}`, '--mount', '--pid', `--net=/proc/${pid}/fd/${found.namespace}`],
      ...['env', '--default-signal=INT,QUIT'],
      ...podEntry(found.runtime.files),
    ];
    return { namespace, pod: found.runtime.pod.name, enter };
  }
}

/** The first running pod that `NAME` or `KIND/NAME` means. @throws LabError usage if there is none. */
function runningPod(lab: RunningLab, namespace: string, pod: string): { runtime: PodRuntime; namespace: number } {
  const text = `${namespace}/${pod}`;
  const endpoint = parseEndpoint(text);
  if (!endpoint || endpoint.kind === 'address') {
    throw new LabError('usage', `"${pod}" is no pod: write a pod's name or KIND/NAME`);
  }
  const pods = podsOf(lab.cluster, endpoint);
  for (const each of pods) {
    const entry = lab.fleet.pods.get(podKey(each));
    if (entry?.namespace !== undefined) return { runtime: entry.runtime, namespace: entry.namespace };
  }
  const [first] = pods;
  if (first) throw new LabError('usage', `pod ${podKey(first)} does not run (${first.phase})`);
  const elsewhere = lab.cluster.pods.find(({ name }) => name === pod);
  const hint = elsewhere
    ? `there is ${podKey(elsewhere)}: add -n ${elsewhere.namespace}`
    : 'see "netpol-lab get pods -A"';
  throw new LabError('usage', `no pod ${text} in lab ${lab.spec.name}; ${hint}`);
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
