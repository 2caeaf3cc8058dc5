/**
 * Something wrong with a manifest. Nothing with an issue is enforced.
 * `field` is its path as Kubernetes writes it, empty if the issue is of the whole object or file.
 * `type` is a cause of the API's Status (FieldValueInvalid …), 'StrictDecoding' for unknown fields and
 * wrong types, or 'Syntax' for what is no YAML, no JSON or no Kubernetes object.
 * `message` is what the API server puts into `details.causes[].message`.
 */
export interface Issue {
  readonly file: string;
  readonly line: number;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly field: string;
  readonly type: string;
  readonly message: string;
}

/** One line for people: `web.yaml:12 NetworkPolicy default/deny: spec.podSelector: Invalid value: …`. */
export function issueText(issue: Issue): string {
  // Messages of the decoder name the field themselves.
  const field = issue.field === '' || issue.type === 'StrictDecoding' ? '' : `${issue.field}: `;
  return `${issue.file}:${issue.line} ${subjectText(issue)}${field}${issue.message}`;
}

function subjectText({ kind, namespace, name }: Issue): string {
  if (kind === '' && name === '') return '';
  const path = [namespace, name].filter((part) => part !== '').join('/');
  return `${[kind, path].filter((part) => part !== '').join(' ')}: `;
}
