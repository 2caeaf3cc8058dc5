import type { BlockPeer, Peer, Peers, PolicyPort, Ports } from '../model/policy.ts';
import type { Requirement, Selector } from '../model/selector.ts';
import { isStrictSubset, type Prefix } from '../net/prefix.ts';

/** Whether the outer selector selects all that the inner one does, whatever labels there are. Never wrongly true. */
export function selectorContains(outer: Selector, inner: Selector): boolean {
  return outer.requirements.every((wanted) => inner.requirements.some((given) => implies(given, wanted)));
}

/** Whether who meets `given` meets `wanted`. */
function implies(given: Requirement, wanted: Requirement): boolean {
  if (given.key !== wanted.key) return false;
  switch (wanted.operator) {
    case 'In':
      return given.operator === 'In' && given.values.every((value) => wanted.values.includes(value));
    case 'Exists':
      return given.operator === 'In' || given.operator === 'Exists';
    case 'DoesNotExist':
      return given.operator === 'DoesNotExist';
    case 'NotIn':
      if (given.operator === 'DoesNotExist') return true;
      if (given.operator === 'In') return given.values.every((value) => !wanted.values.includes(value));
      return given.operator === 'NotIn' && wanted.values.every((value) => given.values.includes(value));
  }
}

/** Whether the outer ports have all that the inner ones have. Never wrongly true: named ports equal only themselves. */
export function portsContain(outer: Ports, inner: Ports): boolean {
  if (outer.kind === 'any') return true;
  return inner.kind === 'list' && inner.ports.every((port) => outer.ports.some((other) => portContains(other, port)));
}

function portContains(outer: PolicyPort, inner: PolicyPort): boolean {
  if (outer.protocol !== inner.protocol) return false;
  if (outer.port.kind === 'any') return true;
  if (outer.port.kind === 'named') return inner.port.kind === 'named' && inner.port.name === outer.port.name;
  return inner.port.kind === 'range' && outer.port.first <= inner.port.first && inner.port.last <= outer.port.last;
}

/** Whether the outer peers, of a policy of the same namespace, match all that the inner ones do. Never wrongly true. */
export function peersContain(outer: Peers, inner: Peers): boolean {
  if (outer.kind === 'any') return true;
  return inner.kind === 'list' && inner.peers.every((peer) => outer.peers.some((other) => peerContains(other, peer)));
}

function peerContains(outer: Peer, inner: Peer): boolean {
  if (outer.kind === 'block') return inner.kind === 'block' && blockContains(outer, inner);
  if (inner.kind === 'block' || !selectorContains(outer.pods, inner.pods)) return false;
  if (outer.namespaces.kind === 'own') return inner.namespaces.kind === 'own';
  if (inner.namespaces.kind === 'own') return outer.namespaces.selector.requirements.length === 0;
  return selectorContains(outer.namespaces.selector, inner.namespaces.selector);
}

function blockContains(outer: BlockPeer, inner: BlockPeer): boolean {
  return (
    prefixContains(outer.cidr, inner.cidr) &&
    outer.except.every(
      (hole) => !overlaps(hole, inner.cidr) || inner.except.some((other) => prefixContains(other, hole)),
    )
  );
}

/** Whether the inner prefix lies in the outer one, or is it. */
export function prefixContains(outer: Prefix, inner: Prefix): boolean {
  return outer.text === inner.text || isStrictSubset(inner, outer);
}

/** Whether the prefixes have an address in common. */
export function overlaps(one: Prefix, other: Prefix): boolean {
  return prefixContains(one, other) || prefixContains(other, one);
}
