import { checkMetadata } from './check-metadata.ts';
import { checkPod } from './check-pod.ts';
import { checkPolicy } from './check-policy.ts';
import { checkService } from './check-service.ts';
import { checkController, checkCronJob, checkJob, checkWorkload } from './check-workload.ts';
import type { Finding } from './finding.ts';
import type { Issue } from './issue.ts';
import { matchKind, SCHEMAS, type KnownKind } from './known-kinds.ts';
import { issueOf, type ManifestObject } from './manifest-object.ts';
import { dns1035LabelErrors, dnsLabelErrors, dnsSubdomainErrors } from './name-rules.ts';
import { decode, type Decoded } from './schema.ts';

/** An object that passed validation, by its kind. */
export type Understood = {
  readonly [K in KnownKind]: { readonly kind: K; readonly value: Decoded<(typeof SCHEMAS)[K]> };
}[KnownKind];

/** An object that can be used, or what is wrong with it. */
export type Reading =
  | { readonly kind: 'understood'; readonly object: Understood }
  | { readonly kind: 'refused'; readonly issues: readonly Issue[] };

// Eleven characters fewer than a label: a CronJob's Jobs add a dash and ten digits. Source: ValidateCronJobName.
const MAX_CRON_JOB_NAME = 52;

/**
 * What the API server would refuse an object for, in its words; empty if it is fine. As there, unknown fields and
 * wrong types come first: while there are any, nothing else is checked. buildCluster does this for its objects too.
 */
export function validateObject(object: ManifestObject): Issue[] {
  const reading = readObject(object);
  return reading.kind === 'refused' ? [...reading.issues] : [];
}

/** Decodes and validates an object of a known kind and version. */
export function readObject(object: ManifestObject): Reading {
  const match = matchKind(object.apiVersion, object.kind);
  if (match.kind !== 'known')
    throw new TypeError(`${object.apiVersion} ${object.kind} is no kind that netpol-lab knows`);
  const { value, findings } = decode(SCHEMAS[match.known], object.value);
  const understood = { kind: match.known, value } as Understood;
  const all = findings.length > 0 ? findings : checkObject(understood);
  if (all.length === 0) return { kind: 'understood', object: understood };
  return { kind: 'refused', issues: all.map((finding) => issueOf(object, finding)) };
}

function checkObject(object: Understood): Finding[] {
  const namespaced = object.kind !== 'Namespace';
  const meta = checkMetadata(object.value.metadata ?? {}, { namespaced, nameErrors: nameRule(object.kind) });
  return [...meta, ...checkSpec(object)];
}

function nameRule(kind: KnownKind): (name: string) => string[] {
  switch (kind) {
    case 'Namespace':
      return dnsLabelErrors;
    case 'Service':
      return dns1035LabelErrors;
    case 'CronJob':
      return (name) => [
        ...dnsSubdomainErrors(name),
        ...(name.length > MAX_CRON_JOB_NAME ? [`must be no more than ${MAX_CRON_JOB_NAME} characters`] : []),
      ];
    default:
      return dnsSubdomainErrors;
  }
}

function checkSpec(object: Understood): Finding[] {
  switch (object.kind) {
    case 'Namespace':
      return [];
    case 'Pod':
      return checkPod(object.value);
    case 'Deployment':
      return checkWorkload(object.value.spec ?? {}, 'deployment');
    case 'ReplicaSet':
    case 'StatefulSet':
    case 'DaemonSet':
      return checkWorkload(object.value.spec ?? {}, object.kind.toLowerCase());
    case 'ReplicationController':
      return checkController(object.value.spec ?? {});
    case 'Job':
      return checkJob(object.value.spec ?? {}, ['spec']);
    case 'CronJob':
      return checkCronJob(object.value.spec ?? {});
    case 'Service':
      return checkService(object.value);
    case 'NetworkPolicy':
      return checkPolicy(object.value);
  }
}
