/** The names of profiles, that of the specification first. */
export const CNI_NAMES = ['reference', 'calico', 'cilium', 'weave', 'flannel'] as const;

/** A profile's name. */
export type CniName = (typeof CNI_NAMES)[number];

/** What a CNI does otherwise than this program's reference does, and the addresses of where that is written. */
export interface CniFact {
  readonly text: string;
  readonly sources: readonly string[];
}

/** How a CNI enforces NetworkPolicies, where they leave it a choice or it does not do all that they say. */
export interface CniProfile {
  /** Whether it enforces policies at all. */
  readonly enforces: boolean;
  /** Whether an ipBlock matches the addresses of pods and nodes. */
  readonly blocksMatchPods: boolean;
  /** Whether it knows endPort; if not, such a port is `port` alone. */
  readonly knowsPortRanges: boolean;
  /** Whether it knows ports by name; if not, it passes over every policy that names one. */
  readonly knowsPortNames: boolean;
  /** What becomes of open connections that a change of policy denies. */
  readonly established: 'keep' | 'strict';
  /** What of that is not as in the reference, or is worth knowing. */
  readonly facts: readonly CniFact[];
}

const REFERENCE: CniProfile = {
  enforces: true,
  blocksMatchPods: true,
  knowsPortRanges: true,
  knowsPortNames: true,
  established: 'keep',
  facts: [],
};

/** All profiles. */
export const CNI_PROFILES: Readonly<Record<CniName, CniProfile>> = {
  reference: REFERENCE,
  calico: {
    ...REFERENCE,
    facts: [
      {
        text: 'open connections outlive a change of policy, as conntrack knows them',
        sources: ['https://github.com/projectcalico/calico/issues/6399'],
      },
    ],
  },
  cilium: {
    ...REFERENCE,
    blocksMatchPods: false,
    established: 'strict',
    facts: [
      {
        text: 'an ipBlock matches no pod and no node, whatever their addresses',
        sources: [
          'https://github.com/cilium/cilium/issues/9209',
          'https://docs.cilium.io/en/stable/security/policy/caveats/',
        ],
      },
      {
        text: 'every packet of an open connection is judged by the policies of that moment, replies apart',
        sources: ['https://github.com/cilium/cilium/blob/main/bpf/bpf_lxc.c'],
      },
      {
        text: 'endPort is known from version 1.16 on; before that, only its port is allowed (this profile knows it)',
        sources: ['https://github.com/cilium/cilium/issues/28684', 'https://github.com/cilium/cilium/pull/33463'],
      },
    ],
  },
  weave: {
    ...REFERENCE,
    knowsPortRanges: false,
    knowsPortNames: false,
    facts: [
      {
        text: 'a policy with a named port is passed over as a whole: it isolates nothing',
        sources: [
          'https://github.com/weaveworks/weave/blob/ee84caccee04669c57cfccb5ed3a1ad94cc63b3f/npc/analyser.go',
          'https://github.com/weaveworks/weave/issues/3032',
        ],
      },
      {
        text: 'endPort is not read: only its port is allowed',
        sources: ['https://github.com/weaveworks/weave/blob/ee84caccee04669c57cfccb5ed3a1ad94cc63b3f/npc/analyser.go'],
      },
    ],
  },
  flannel: {
    ...REFERENCE,
    enforces: false,
    facts: [
      {
        text: 'policies are stored and have no effect; Calico beside it ("Canal") enforces them',
        sources: [
          'https://github.com/flannel-io/flannel/issues/558',
          'https://docs.tigera.io/calico/latest/getting-started/kubernetes/flannel/install-for-flannel',
        ],
      },
    ],
  },
};
