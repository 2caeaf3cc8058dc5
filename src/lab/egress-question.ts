/** What an egress gateway asks of its lab before it dials for a client. Addresses are texts without a zone. */
export interface EgressQuestion {
  /** The gateway's pod, NAMESPACE/NAME. */
  readonly gateway: string;
  /** Whoever is connected to the gateway. */
  readonly client: string;
  readonly clientPort: number;
  /** Where it wants to go, by TCP: an address that its name stands for, a Service's too. */
  readonly destination: string;
  readonly port: number;
}

/**
 * What the lab says: `allowed` names where to dial, a pod behind the Service if it is one's address; `denied` by
 * policies, or because nobody may go there or nobody knows the client; `unreachable` if there is nothing to judge. `reason`
 * is for the client. What is `revocable` holds until the lab ends its response.
 */
export type EgressAnswer =
  | { readonly kind: 'allowed'; readonly address: string; readonly port: number; readonly revocable: boolean }
  | { readonly kind: 'denied' | 'unreachable'; readonly reason: string };
