import { LabVerbs } from '../lab/control-plane/lab-verbs.ts';
import { PROBE_BODY, probeAll } from '../lab/control-plane/prober.ts';
import type { LabStatus } from '../lab/lab-client.ts';
import { LabError } from '../model/lab-error.ts';
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
        return this.status();
      case 'probe':
        return probeAll(this.#lab.probed, PROBE_BODY.parse(body).requests);
      case 'exec-target':
        throw new LabError('usage', 'commands in a container are run by docker compose exec');
      default:
        return this.#verbs.answer(verb, body);
    }
  }

  status(): LabStatus {
    const { plane, spec, warnings } = this.#lab;
    return {
      name: spec.name,
      pid: process.pid,
      rootless: false,
      startedAt: plane.startedAt,
      resumed: plane.resumed,
      options: spec.options,
      api: this.#api,
      pods: this.#verbs.podStatuses(),
      external: spec.external,
      policies: plane.cluster.policies.length,
      warnings,
    };
  }
}
