/** A change of the cluster, after which connections are tried. Objects are written as in LabelsOf; policies as `x/name`. */
export type Step =
  | { readonly kind: 'apply'; readonly policies: string }
  | { readonly kind: 'delete'; readonly policy: string }
  | { readonly kind: 'label'; readonly object: string; readonly labels: Readonly<Record<string, string | null>> };

/** A conformance case: its name starts with the number of the rule in the list of semantics that it shows. */
export interface PolicyCase {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Whether its policies deny nothing at any step. */
  readonly deniesNothing?: boolean;
}

/** A case of policies alone. */
export function policyCase(name: string, ...policies: readonly string[]): PolicyCase {
  return { name, steps: [apply(...policies)] };
}

/** A step that applies policies. */
export function apply(...policies: readonly string[]): Step {
  return { kind: 'apply', policies: policies.join('---\n') };
}

/** A policy's manifest. `key` is NAMESPACE/NAME, `spec` YAML in flow style. */
export function policy(key: string, spec: string): string {
  const [namespace = '', name = ''] = key.split('/');
  // Quoted, as a bare y is true in YAML 1.1.
  return `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { namespace: '${namespace}', name: '${name}' }
spec: ${spec}
`;
}
