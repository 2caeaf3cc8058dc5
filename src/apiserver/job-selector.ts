import { nameOf, objectAt, uidOf, type ApiObject } from './api-object.ts';

/**
 * A new Job with the selector and the labels that make its pods its own; unchanged if it says itself what it selects.
 * Source: generateSelector, pkg/registry/batch/job.
 */
export function withJobSelector(job: ApiObject): ApiObject {
  const spec = objectAt(job, 'spec');
  if (spec.selector !== undefined || spec.manualSelector === true) return job;
  const [uid, name] = [uidOf(job), nameOf(job)];
  const own = { 'batch.kubernetes.io/controller-uid': uid };
  const template = objectAt(spec, 'template');
  const metadata = objectAt(template, 'metadata');
  const labels = {
    ...objectAt(metadata, 'labels'),
    ...own,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  const selecting = { selector: { matchLabels: own }, template: { ...template, metadata: { ...metadata, labels } } };
  return { ...job, spec: { ...spec, ...selecting } };
}
