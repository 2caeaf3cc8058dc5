import { apply, policy, type PolicyCase } from './policy-case.ts';

const FROM_FRIENDS = policy(
  'x/friends',
  '{ podSelector: {}, ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { role: friend } } }] }] }',
);
const FROM_TEAM = policy(
  'x/team',
  '{ podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: red } } }] }] }',
);

/** Changes are judged on the next new connection. */
export const CHANGE_CASES: readonly PolicyCase[] = [
  {
    name: '25 a pod becomes a peer by its labels, and is none without them',
    steps: [
      apply(FROM_FRIENDS),
      { kind: 'label', object: 'y/a', labels: { role: 'friend' } },
      { kind: 'label', object: 'y/a', labels: { role: 'foe' } },
      { kind: 'label', object: 'z/b', labels: { role: 'friend' } },
      { kind: 'label', object: 'z/b', labels: { role: null } },
    ],
  },
  {
    name: '25 a pod becomes isolated by its labels',
    steps: [
      apply(
        policy('y/guarded', '{ podSelector: { matchLabels: { guarded: "yes" } }, policyTypes: [Ingress, Egress] }'),
      ),
      { kind: 'label', object: 'y/b', labels: { guarded: 'yes' } },
      { kind: 'label', object: 'x/b', labels: { guarded: 'yes' } },
      { kind: 'label', object: 'y/b', labels: { guarded: null } },
    ],
  },
  {
    name: '25 a namespace becomes a peer by its labels',
    steps: [
      apply(FROM_TEAM),
      { kind: 'label', object: 'z', labels: { team: 'red' } },
      { kind: 'label', object: 'z', labels: { team: 'blue' } },
    ],
  },
  {
    name: '25 a policy is replaced',
    steps: [
      apply(policy('x/p', '{ podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] }')),
      apply(policy('x/p', '{ podSelector: { matchLabels: { pod: a } }, ingress: [{ ports: [{ port: 81 }] }] }')),
      apply(policy('x/p', '{ podSelector: {}, policyTypes: [Egress] }')),
    ],
  },
  {
    name: '25 policies are deleted, one after another',
    steps: [
      apply(FROM_FRIENDS, FROM_TEAM, policy('x/udp', '{ podSelector: {}, ingress: [{ ports: [{ protocol: UDP }] }] }')),
      { kind: 'delete', policy: 'x/udp' },
      { kind: 'delete', policy: 'x/team' },
      { kind: 'delete', policy: 'x/friends' },
    ],
  },
];
