import { z } from 'zod';
import { parseEndpoint, podsOf } from '../../model/endpoint.ts';
import { LabError } from '../../model/lab-error.ts';
import { podKey } from '../../model/pod.ts';
import { LabVerbs } from '../control-plane/lab-verbs.ts';
import { PROBE_BODY, probeAll, type Dialler, type ProbedLab } from '../control-plane/prober.ts';
import type { ExecTarget, LabStatus } from '../lab-client.ts';
import { dial } from './dialler.ts';
import { podEntry } from './pod-command.ts';
import { hostPid } from './pod-network.ts';
import type { PodRuntime } from './pod-runtime.ts';
import type { RunningLab } from './running-lab.ts';

/** Bodies of the verbs that only a lab in network namespaces has. */
const BODIES = {
  'exec-target': z.object({ namespace: z.string(), pod: z.string() }),
};

/** What a lab in network namespaces answers to the verbs of its control socket that have one answer. */
export class LabControl {
  readonly #lab: RunningLab;
  readonly #verbs: LabVerbs;
  readonly #rootless: boolean;
  readonly #api: LabStatus['api'];

  constructor(lab: RunningLab, { rootless, api }: Pick<LabStatus, 'rootless' | 'api'>) {
    this.#lab = lab;
    this.#verbs = new LabVerbs(lab.plane, () => lab.table);
    this.#rootless = rootless;
    this.#api = api;
  }

  /** The answer to a verb. @returns undefined for a verb that is none of these. @throws LabError usage. */
  async answer(verb: string, body: unknown): Promise<unknown> {
    switch (verb) {
      case 'status':
        return this.status();
      case 'probe':
        return probeAll(probedLab(this.#lab), PROBE_BODY.parse(body).requests);
      case 'exec-target':
        return this.#execTarget(BODIES['exec-target'].parse(body));
      default:
        return this.#verbs.answer(verb, body);
    }
  }

  status(): LabStatus {
    const { plane, spec, warnings } = this.#lab;
    return {
      name: spec.name,
      pid: hostPid(),
      rootless: this.#rootless,
      resumed: plane.resumed,
      startedAt: plane.startedAt,
      options: spec.options,
      api: this.#api,
      pods: this.#verbs.podStatuses(),
      external: spec.external,
      policies: plane.cluster.policies.length,
      warnings,
    };
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

function probedLab(lab: RunningLab): ProbedLab {
  const { spec, plane, log } = lab;
  const from =
    (namespace: number): Dialler =>
    (target) =>
      dial({ ...target, namespace });
  return {
    name: spec.name,
    cluster: plane.cluster,
    deny: spec.options.deny,
    log,
    fromPod: (pod) => {
      const namespace = lab.fleet.pods.get(podKey(pod))?.namespace;
      return namespace === undefined ? undefined : from(namespace);
    },
    fromOutside: ({ text }) => {
      const host = lab.outside.find(({ addresses }) => addresses.some((each) => each.text === text));
      return host && from(host.network.namespace);
    },
  };
}

/** The first running pod that `NAME` or `KIND/NAME` means. @throws LabError usage if there is none. */
function runningPod(lab: RunningLab, namespace: string, pod: string): { runtime: PodRuntime; namespace: number } {
  const { cluster } = lab.plane;
  const text = `${namespace}/${pod}`;
  const endpoint = parseEndpoint(text);
  if (!endpoint || endpoint.kind === 'address') {
    throw new LabError('usage', `"${pod}" is no pod: write a pod's name or KIND/NAME`);
  }
  const pods = podsOf(cluster, endpoint);
  for (const each of pods) {
    const entry = lab.fleet.pods.get(podKey(each));
    if (entry?.namespace !== undefined) return { runtime: entry.runtime, namespace: entry.namespace };
  }
  const [first] = pods;
  if (first) throw new LabError('usage', `pod ${podKey(first)} does not run (${first.phase})`);
  const elsewhere = cluster.pods.find(({ name }) => name === pod);
  const hint = elsewhere
    ? `there is ${podKey(elsewhere)}: add -n ${elsewhere.namespace}`
    : 'see "netpol-lab get pods -A"';
  throw new LabError('usage', `no pod ${text} in lab ${lab.spec.name}; ${hint}`);
}
