/**
 * The specification of NetworkPolicies, written down slowly and plainly: the oracle of the tests.
 * It looks at every pod, policy and rule afresh for each connection. The decision table must agree
 * with it; to stay an independent opinion, it shares no code with src/table.
 *
 * Sources: DOC = the page "Network Policies" on kubernetes.io; T = networking/v1 types.go and
 * D = defaults.go, kubernetes/kubernetes; E = its suite test/e2e/network/netpol. Where these leave
 * it to the implementation, the comment says CHOICE.
 */
import { sameIp, type IpAddress } from '../net/ip.ts';
import { contains } from '../net/prefix.ts';
import type { Cluster, Namespace } from '../model/cluster.ts';
import { isEndpoint, namedPort, type Pod } from '../model/pod.ts';
import type { Direction, NetworkPolicy, Peer, PodsPeer, PolicyPort, PolicySide, Rule } from '../model/policy.ts';
import { selects } from '../model/selector.ts';
import { verdictOf, type Connection, type DirectionVerdict, type RuleMatch, type Verdict } from '../model/verdict.ts';

/**
 * Judges the first packet of a connection; the replies of an allowed connection always pass (DOC).
 * Cost: proportional to pods and policies; for tests only.
 */
export function evaluate(cluster: Cluster, connection: Connection): Verdict {
  // DOC: a connection is allowed only if the egress policies of the pod it comes from and the
  // ingress policies of the pod it goes to both allow it.
  return verdictOf({
    egress: judge(cluster, connection, 'egress'),
    ingress: judge(cluster, connection, 'ingress'),
  });
}

/** What policies see at one end of a connection. */
interface End {
  readonly address: IpAddress;
  /** The endpoint pod that owns the address, and that pod's namespace. */
  readonly pod: Pod | undefined;
  readonly namespace: Namespace | undefined;
}

/** The verdict of one direction: of the source for egress, of the destination for ingress. */
function judge(cluster: Cluster, connection: Connection, direction: Direction): DirectionVerdict {
  const source = endAt(cluster, connection.source);
  const destination = endAt(cluster, connection.destination);
  const [subject, peer] = direction === 'egress' ? [source, destination] : [destination, source];

  // T, DOC: policies apply to pods. What has no endpoint pod's address is never their subject.
  const { pod } = subject;
  if (!pod) return { kind: 'not-isolated' };

  // DOC: by default a pod is non-isolated in a direction: everything is allowed. It is isolated
  // if any policy both selects it and has this direction among its policyTypes.
  const policies = cluster.policies.filter((policy) => isolates(policy, pod, direction));
  if (policies.length === 0) return { kind: 'not-isolated' };

  // DOC: a pod cannot block access to itself.
  if (sameIp(subject.address, peer.address)) return { kind: 'itself' };

  // DOC: traffic to and from the node where a pod runs is always allowed. Other nodes are like
  // any address.
  if (pod.nodeAddresses.some((address) => sameIp(address, peer.address))) return { kind: 'node' };

  // DOC: policies do not conflict, they are additive: what any rule of any of them allows is
  // allowed, and their order does not matter. T: the traffic must match both peers and ports.
  const matches = policies.flatMap((policy): RuleMatch[] =>
    rulesOf(policy[direction])
      .filter((rule) => matchesPeers(rule, policy, peer) && matchesPorts(rule, connection, destination))
      .map((rule) => ({ policy, rule })),
  );

  // T: no rule, or none that matches: isolated, and denied.
  return matches.length > 0 ? { kind: 'rules', matches } : { kind: 'no-rule', policies };
}

/**
 * The pod that policies see behind an address. DOC, E: pods that have finished do not count, though
 * their status keeps the address. CHOICE: nor do host-network pods, which share their node's.
 */
function endAt(cluster: Cluster, address: IpAddress): End {
  const pod = cluster.pods.find(
    (candidate) => isEndpoint(candidate) && candidate.addresses.some((own) => sameIp(own, address)),
  );
  return { address, pod, namespace: pod && cluster.namespaces.get(pod.namespace) };
}

/**
 * Whether the policy selects the pod and speaks of the direction. T: podSelector selects pods of
 * the policy's own namespace, an empty one all of them. T, D: a direction that is not among the
 * policyTypes is ignored, whatever rules are written for it.
 */
function isolates(policy: NetworkPolicy, pod: Pod, direction: Direction): boolean {
  return (
    policy.namespace === pod.namespace &&
    policy[direction].kind === 'isolates' &&
    selects(policy.podSelector, pod.labels)
  );
}

/** The rules of one direction; an ignored direction has none. */
function rulesOf(side: PolicySide): readonly Rule[] {
  return side.kind === 'isolates' ? side.rules : [];
}

/** T: the traffic must match at least one item of `from` or `to`; without items it matches any peer. */
function matchesPeers(rule: Rule, policy: NetworkPolicy, end: End): boolean {
  switch (rule.peers.kind) {
    case 'any':
      // T: "traffic not restricted by source": addresses outside of the cluster too.
      return true;
    case 'list':
      return rule.peers.peers.some((peer) => matchesPeer(peer, policy, end));
  }
}

function matchesPeer(peer: Peer, policy: NetworkPolicy, end: End): boolean {
  switch (peer.kind) {
    case 'block':
      // T: except names what is not included within this item; other items may still allow it.
      // A prefix holds addresses of its own family only, so 0.0.0.0/0 is not every address.
      // CHOICE: a pod's address is an address like any other (E relies on it).
      return contains(peer.cidr, end.address) && !peer.except.some((hole) => contains(hole, end.address));
    case 'pods':
      // T: with both selectors, the pods that one selects in the namespaces that the other selects.
      return end.pod !== undefined && inNamespaces(peer, policy, end) && selects(peer.pods, end.pod.labels);
  }
}

/** Whether the end's pod is in one of the namespaces that the peer speaks of. */
function inNamespaces(peer: PodsPeer, policy: NetworkPolicy, end: End): boolean {
  switch (peer.namespaces.kind) {
    case 'own':
      // T: without namespaceSelector, the policy's own namespace.
      return end.pod?.namespace === policy.namespace;
    case 'selected':
      // T: namespaces are selected by their labels; an empty selector selects all of them.
      return end.namespace !== undefined && selects(peer.namespaces.selector, end.namespace.labels);
  }
}

/** T: the traffic must match at least one item of `ports`; without items it is not restricted by port. */
function matchesPorts(rule: Rule, connection: Connection, destination: End): boolean {
  switch (rule.ports.kind) {
    case 'any':
      // Every port of every protocol. CHOICE: ICMP as well.
      return true;
    case 'list':
      return rule.ports.ports.some((item) => matchesPort(item, connection, destination));
  }
}

function matchesPort(item: PolicyPort, connection: Connection, destination: End): boolean {
  // T: only traffic of the item's protocol matches, TCP if none was given. ICMP cannot be named.
  if (item.protocol !== connection.transport) return false;
  const { port } = connection;
  switch (item.port.kind) {
    case 'any':
      // T: without a port, all names and numbers of the protocol.
      return true;
    case 'range':
      // T: from port to endPort, inclusive. A single port is a range of one.
      return item.port.first <= port && port <= item.port.last;
    case 'named':
      // T: "named port on a pod": of the pod that the connection goes to, in either direction. An
      // address that is no pod's has no names, and a pod may lack this one.
      return destination.pod !== undefined && namedPort(destination.pod, item.port.name, item.protocol) === port;
  }
}
