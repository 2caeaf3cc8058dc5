/** Where a value is in an object: field names, map keys and list indexes from the top. */
export type FieldPath = readonly (string | number)[];

/** The path as Kubernetes writes it: `spec.ingress[0].from`. */
export function pathText(path: FieldPath): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
}
