import { LABEL_SELECTOR, TOP } from './metadata-schema.ts';
import { INT32, INT_OR_TEXT, listOf, struct, TEXT, textOfType, type Decoded } from './schema.ts';

const PORT = struct('NetworkPolicyPort', {
  protocol: textOfType('v1.Protocol'),
  port: INT_OR_TEXT,
  endPort: INT32,
});

const PEER = struct('NetworkPolicyPeer', {
  podSelector: LABEL_SELECTOR,
  namespaceSelector: LABEL_SELECTOR,
  ipBlock: struct('IPBlock', { cidr: TEXT, except: listOf(TEXT) }),
});

/** Source: networking/v1 NetworkPolicy. */
export const NETWORK_POLICY = struct('NetworkPolicy', {
  ...TOP,
  spec: struct('NetworkPolicySpec', {
    podSelector: LABEL_SELECTOR,
    ingress: listOf(struct('NetworkPolicyIngressRule', { ports: listOf(PORT), from: listOf(PEER) })),
    egress: listOf(struct('NetworkPolicyEgressRule', { ports: listOf(PORT), to: listOf(PEER) })),
    policyTypes: listOf(textOfType('v1.PolicyType')),
  }),
});

/** A policy as it is written. */
export type NetworkPolicyManifest = Decoded<typeof NETWORK_POLICY>;
/** One item of `ports`. */
export type PolicyPortManifest = Decoded<typeof PORT>;
/** One item of `from` or `to`. */
export type PeerManifest = Decoded<typeof PEER>;
