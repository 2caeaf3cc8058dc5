import type { Source } from '../model/source.ts';
import type { ManifestObject } from './manifest-object.ts';
import type { PodManifest, PodSpec, PodTemplate } from './pod-schema.ts';
import { digitsOf, generatedName, templateHashOf } from './safe-name.ts';
import type { Understood } from './validate.ts';
import type { JobSpec } from './workload-schema.ts';

/** A pod to be, before it has addresses. `hostname` is empty for the pod's name. */
export interface PodPlan {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owner: { readonly kind: string; readonly name: string };
  readonly hostname: string;
  readonly subdomain: string;
  readonly spec: PodSpec;
  readonly status: NonNullable<PodManifest['status']>;
  readonly source: Source;
}

/** The number of pods of an object: what its pods would be if there were no limit to their addresses. */
export function podCount(understood: Understood): number {
  switch (understood.kind) {
    case 'Pod':
    case 'DaemonSet':
      // A lab has one node.
      return 1;
    case 'Deployment':
    case 'ReplicaSet':
    case 'StatefulSet':
    case 'ReplicationController':
      return understood.value.spec?.replicas ?? 1;
    case 'Job':
      return jobPodCount(understood.value.spec ?? {});
    case 'CronJob': {
      const { suspend = false, jobTemplate = {} } = understood.value.spec ?? {};
      return suspend ? 0 : jobPodCount(jobTemplate.spec ?? {});
    }
    default:
      return 0;
  }
}

/** The pods that Kubernetes would make of the object; none for what is no workload. Names depend on nothing but the object. */
export function podPlans(object: ManifestObject, understood: Understood): PodPlan[] {
  const pods = new PodSet(object, podCount(understood));
  switch (understood.kind) {
    case 'Pod':
      return [podOfItsOwn(object, understood.value)];
    case 'Deployment': {
      const template = understood.value.spec?.template ?? {};
      const hash = templateHashOf(JSON.stringify(template));
      return pods.named(template, `${object.name}-${hash}-`, { labels: { 'pod-template-hash': hash } });
    }
    case 'ReplicaSet':
    case 'ReplicationController':
      return pods.named(understood.value.spec?.template ?? {}, `${object.name}-`);
    case 'DaemonSet':
      return pods.named(understood.value.spec?.template ?? {}, `${object.name}-`);
    case 'StatefulSet':
      return pods.numbered(understood.value.spec ?? {});
    case 'Job':
      return pods.ofJob(understood.value.spec ?? {}, object.name);
    case 'CronJob': {
      const name = `${object.name}-${digitsOf(`${object.namespace}/${object.name}`, CRON_JOB_DIGITS)}`;
      return pods.ofJob(understood.value.spec?.jobTemplate?.spec ?? {}, name);
    }
    default:
      return [];
  }
}

// Minutes since 1970, as the controller names its Jobs, have eight digits.
const CRON_JOB_DIGITS = 8;

interface Extras {
  readonly labels?: Readonly<Record<string, string>>;
  readonly hostname?: string;
  readonly subdomain?: string;
}

/** The pods of one workload. */
class PodSet {
  readonly #object: ManifestObject;
  readonly #count: number;
  readonly #taken = new Set<string>();

  constructor(object: ManifestObject, count: number) {
    this.#object = object;
    this.#count = count;
  }

  /** Pods named by a suffix that their number decides: one more leaves the others their names. */
  named(template: PodTemplate, base: string, extras: Extras = {}): PodPlan[] {
    return this.#each((index) => this.#pod(template, this.#name(base, index), extras));
  }

  numbered(spec: { template?: PodTemplate; serviceName?: string; ordinals?: { readonly start?: number } }): PodPlan[] {
    const first = spec.ordinals?.start ?? 0;
    return this.#each((index) => {
      const ordinal = String(first + index);
      const name = `${this.#object.name}-${ordinal}`;
      const labels = { 'statefulset.kubernetes.io/pod-name': name, 'apps.kubernetes.io/pod-index': ordinal };
      return this.#pod(spec.template ?? {}, name, { labels, hostname: name, subdomain: spec.serviceName ?? '' });
    });
  }

  ofJob({ template = {}, completionMode }: JobSpec, jobName: string): PodPlan[] {
    const labels = { 'batch.kubernetes.io/job-name': jobName, 'job-name': jobName };
    if (completionMode !== 'Indexed') return this.named(template, `${jobName}-`, { labels });
    return this.#each((index) =>
      this.#pod(template, this.#name(`${jobName}-${index}-`, index), {
        labels: { ...labels, 'batch.kubernetes.io/job-completion-index': String(index) },
        hostname: `${jobName}-${index}`,
      }),
    );
  }

  #each(make: (index: number) => PodPlan): PodPlan[] {
    return Array.from({ length: this.#count }, (_, index) => make(index));
  }

  #name(base: string, index: number): string {
    const { kind, namespace } = this.#object;
    const name = generatedName(base, `${kind}/${namespace}/${base}/${index}`, this.#taken);
    this.#taken.add(name);
    return name;
  }

  #pod(template: PodTemplate, name: string, { labels = {}, hostname = '', subdomain = '' }: Extras): PodPlan {
    const { metadata = {}, spec = {} } = template;
    return {
      namespace: this.#object.namespace,
      name,
      labels: { ...metadata.labels, ...labels },
      annotations: metadata.annotations ?? {},
      owner: { kind: this.#object.kind, name: this.#object.name },
      hostname: hostname || (spec.hostname ?? ''),
      subdomain: subdomain || (spec.subdomain ?? ''),
      spec,
      status: {},
      source: this.#object.source,
    };
  }
}

function podOfItsOwn(object: ManifestObject, { metadata = {}, spec = {}, status = {} }: PodManifest): PodPlan {
  return {
    namespace: object.namespace,
    name: object.name,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    owner: { kind: 'Pod', name: object.name },
    hostname: spec.hostname ?? '',
    subdomain: spec.subdomain ?? '',
    spec,
    status,
    source: object.source,
  };
}

/** As many as may run at a time, but no more than are to complete. */
function jobPodCount({ parallelism = 1, completions, suspend = false }: JobSpec): number {
  return suspend ? 0 : Math.min(parallelism, completions ?? parallelism);
}
