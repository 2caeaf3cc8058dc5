import { selects } from '../model/selector.ts';
import { checkSelector } from './check-metadata.ts';
import { checkTemplate } from './check-pod.ts';
import type { FieldPath } from './field-path.ts';
import { goMap, invalid, notSupported, required, type Finding } from './finding.ts';
import type { LabelSelector } from './metadata-schema.ts';
import type { PodTemplate } from './pod-schema.ts';
import { selectorOf } from './selector.ts';
import type { CronJobSpec, JobSpec } from './workload-schema.ts';

interface WorkloadSpec {
  readonly replicas?: number;
  readonly selector?: LabelSelector;
  readonly template?: PodTemplate;
}

/** What is wrong with a workload whose pods run for ever. Source: ValidateDeploymentSpec and its like, kubernetes. */
export function checkWorkload(spec: WorkloadSpec, kind: string): Finding[] {
  const { replicas, selector, template = {} } = spec;
  const path = ['spec', 'selector'];
  const selectorFindings = selector ? checkSelector(selector, path) : [required(path)];
  const everything = selector && selectorOf(selector).requirements.length === 0;
  return [
    ...checkCount(replicas, ['spec', 'replicas']),
    ...selectorFindings,
    ...(everything ? [invalid(path, selector, `empty selector is invalid for ${kind}`)] : []),
    // An absent selector selects nothing; an empty or unreadable one has been reported.
    ...(selector && (everything || selectorFindings.length > 0) ? [] : checkSelected(selector ?? {}, template)),
    ...checkTemplate(template, ['spec', 'template']),
    ...checkRestartsAlways(template),
  ];
}

/** What is wrong with a ReplicationController; without a selector it takes its template's labels. */
export function checkController(spec: {
  readonly replicas?: number;
  readonly selector?: Readonly<Record<string, string>>;
  readonly template?: PodTemplate;
}): Finding[] {
  const { replicas, template = {} } = spec;
  const matchLabels = spec.selector ?? template.metadata?.labels ?? {};
  return [
    ...checkCount(replicas, ['spec', 'replicas']),
    ...(Object.keys(matchLabels).length === 0 ? [required(['spec', 'selector'])] : []),
    ...checkSelected({ matchLabels }, template),
    ...checkTemplate(template, ['spec', 'template']),
    ...checkRestartsAlways(template),
  ];
}

/** What is wrong with a Job's spec, also inside a CronJob. Source: ValidateJobSpec, kubernetes. */
export function checkJob(spec: JobSpec, path: FieldPath): Finding[] {
  const { parallelism, completions, completionMode = '', template = {} } = spec;
  const modes = ['NonIndexed', 'Indexed'];
  const { restartPolicy = 'Always' } = template.spec ?? {};
  const ends = restartPolicy !== 'Always' && restartPolicy !== '';
  return [
    ...checkCount(parallelism, [...path, 'parallelism']),
    ...checkCount(completions, [...path, 'completions']),
    ...(completionMode === '' || modes.includes(completionMode)
      ? []
      : [notSupported([...path, 'completionMode'], completionMode, modes)]),
    ...(completionMode === 'Indexed' && completions === undefined
      ? [required([...path, 'completions'], 'when completion mode is Indexed')]
      : []),
    ...checkTemplate(template, [...path, 'template']),
    ...(ends ? [] : [required([...path, 'template', 'spec', 'restartPolicy'], 'valid values: "OnFailure", "Never"')]),
  ];
}

/** What is wrong with a CronJob. Source: ValidateCronJobSpec, kubernetes. */
export function checkCronJob({ schedule = '', jobTemplate = {} }: CronJobSpec): Finding[] {
  return [
    ...(schedule === '' ? [required(['spec', 'schedule'])] : []),
    ...checkJob(jobTemplate.spec ?? {}, ['spec', 'jobTemplate', 'spec']),
  ];
}

function checkCount(count: number | undefined, path: FieldPath): Finding[] {
  return count !== undefined && count < 0 ? [invalid(path, count, 'must be greater than or equal to 0')] : [];
}

function checkSelected(selector: LabelSelector, template: PodTemplate): Finding[] {
  const labels = template.metadata?.labels ?? {};
  const own = selectorOf(selector);
  if (own.requirements.length > 0 && selects(own, new Map(Object.entries(labels)))) return [];
  const path = ['spec', 'template', 'metadata', 'labels'];
  return [invalid(path, goMap(labels), '`selector` does not match template `labels`')];
}

function checkRestartsAlways(template: PodTemplate): Finding[] {
  const { restartPolicy = '' } = template.spec ?? {};
  if (restartPolicy === '' || restartPolicy === 'Always') return [];
  return [notSupported(['spec', 'template', 'spec', 'restartPolicy'], restartPolicy, ['Always'])];
}
