import { LabVerbs } from '../lab/control-plane/lab-verbs.ts';
import { EXEC_TARGET_BODY, runningPod, type PodReference } from '../lab/control-plane/named-pod.ts';
import { PROBE_BODY, probeAll } from '../lab/control-plane/prober.ts';
import type { ExecTarget, LabStatus } from '../lab/lab-client.ts';
import type { ContainerLab } from './container-lab.ts';

/** What a lab in containers answers to the verbs of its control socket that have one answer. */
export class ContainerControl {
  readonly #lab: ContainerLab;
  readonly #verbs: LabVerbs;
  readonly #api: LabStatus['api'];

  constructor(lab: ContainerLab, api: LabStatus['api']) {
    this.#lab = lab;
    this.#verbs = new LabVerbs(lab.plane, () => lab.table);
    this.#api = api;
  }

  /** The answer to a verb. @returns undefined for a verb that is none of these. @throws LabError usage. */
  async answer(verb: string, body: unknown): Promise<unknown> {
    switch (verb) {
      case 'status':
        return this.#statusInForce();
      case 'probe':
        return probeAll(this.#lab.probed, PROBE_BODY.parse(body).requests);
      case 'exec-target':
        return this.#execTarget(EXEC_TARGET_BODY.parse(body));
      default:
        return this.#verbs.answer(verb, body);
    }
  }

  /** Names the pod. Who asks runs commands in its container by Docker, which is not for a control plane to use. */
  #execTarget({ namespace, pod }: Pick<PodReference, 'namespace' | 'pod'>): ExecTarget {
    const { plane } = this.#lab;
    const found = runningPod({ lab: plane.name, cluster: plane.cluster, namespace, pod }, (each) =>
      each.phase === 'Running' ? each : undefined,
    );
    return { namespace, pod: found.name, enter: [] };
  }

  /** What it says is in force when it is answered: a Service of a pod that is ready leads to it, in every pod. */
  async #statusInForce(): Promise<LabStatus> {
    const status = this.#status();
    await this.#lab.inForce();
    return status;
  }

  #status(): LabStatus {
    const { spec, warnings } = this.#lab;
    return this.#verbs.status({ spec, pid: process.pid, rootless: false, api: this.#api, warnings });
  }
}
