import { podKey } from '../../model/pod.ts';
import { LabVerbs } from '../control-plane/lab-verbs.ts';
import { EXEC_TARGET_BODY, runningPod, type PodReference } from '../control-plane/named-pod.ts';
import { PROBE_BODY, probeAll, type Dialler, type ProbedLab } from '../control-plane/prober.ts';
import type { ExecTarget, LabStatus } from '../lab-client.ts';
import { dial } from './dialler.ts';
import { podEntry } from './pod-command.ts';
import { hostPid } from './pod-network.ts';
import type { RunningLab } from './running-lab.ts';

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
        return this.#execTarget(EXEC_TARGET_BODY.parse(body));
      default:
        return this.#verbs.answer(verb, body);
    }
  }

  status(): LabStatus {
    const { spec, warnings } = this.#lab;
    return this.#verbs.status({ spec, pid: hostPid(), rootless: this.#rootless, api: this.#api, warnings });
  }

  #execTarget({ namespace, pod }: Pick<PodReference, 'namespace' | 'pod'>): ExecTarget {
    const { plane, fleet } = this.#lab;
    const found = runningPod({ lab: plane.name, cluster: plane.cluster, namespace, pod }, (each) => {
      const entry = fleet.pods.get(podKey(each));
      return entry?.namespace === undefined ? undefined : { runtime: entry.runtime, namespace: entry.namespace };
    });
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
