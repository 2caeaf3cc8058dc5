import { podKey } from '../model/pod.ts';
import type { BlockPeer, Rule } from '../model/policy.ts';
import type { Service } from '../model/service.ts';
import type { IpAddress } from '../net/ip.ts';
import { contains, type Prefix } from '../net/prefix.ts';
import { overlaps, portsContain, prefixContains, selectorContains } from './containment.ts';
import { inPolicy, ruleText, type Found } from './finding.ts';
import { rulesOf, type LintView, type RuleView } from './lint-view.ts';

// Wider blocks mean more than Services: 10.0.0.0/8 or everything outside.
const WIDEST = { 4: 12, 6: 48 } as const;

/** Blocks that are about the addresses of Services. */
export function clusterIpInBlock(view: LintView): Found[] {
  const pods = view.pods.flatMap(({ addresses }) => addresses);
  return rulesOf(view).flatMap((each) =>
    blocksOf(each.rule).flatMap((peer) => {
      if (peer.cidr.length < WIDEST[peer.cidr.family] || pods.some((address) => isInBlock(peer, address))) return [];
      const service = view.cluster.services.find(({ kind }) => clusterIps(kind).some((ip) => isInBlock(peer, ip)));
      const address = service && clusterIps(service.kind).find((ip) => isInBlock(peer, ip));
      if (!service || !address) return [];
      return inPolicy(each.policy, peer.source, {
        severity: 'warning',
        message: `${ruleText(each.direction, each.rule)}: ${peer.cidr.text} has ${address.text}, the address of Service ${podKey(service)}, and no pod`,
        why: 'policies see pods, not Services: the address is translated to that of a pod before they are asked, so the block matches nothing',
        fix: 'select the pods behind the Service with podSelector and namespaceSelector',
      });
    }),
  );
}

/** Excepts that keep nobody out, as something else lets them in. */
export function exceptWithoutEffect(view: LintView): Found[] {
  const rules = rulesOf(view);
  return rules.flatMap((each) =>
    blocksOf(each.rule).flatMap((peer) =>
      peer.except.flatMap((hole) => {
        const opener = rules.find((other) => reopens(other, each, { peer, hole }));
        if (!opener) return [];
        const where = `${opener.policy.name} ${ruleText(opener.direction, opener.rule)} (${opener.rule.source.file}:${opener.rule.source.line})`;
        return inPolicy(each.policy, peer.source, {
          severity: 'warning',
          message: `${ruleText(each.direction, each.rule)}: except ${hole.text} has no effect: ${where} allows it`,
          why: 'an except subtracts from its own ipBlock only; policies and rules add up',
          fix: 'put the same except there, or take it out here',
        });
      }),
    ),
  );
}

/** Whether the other rule, of the same subjects, allows all that the except cuts out. */
function reopens(other: RuleView, own: RuleView, { peer, hole }: { peer: BlockPeer; hole: Prefix }): boolean {
  if (other.direction !== own.direction || other.policy.namespace !== own.policy.namespace) return false;
  if (!selectorContains(other.policy.podSelector, own.policy.podSelector)) return false;
  if (!portsContain(other.rule.ports, own.rule.ports)) return false;
  if (other.rule.peers.kind === 'any') return true;
  return blocksOf(other.rule).some(
    (block) =>
      block !== peer && prefixContains(block.cidr, hole) && !block.except.some((except) => overlaps(except, hole)),
  );
}

function blocksOf({ peers }: Rule): BlockPeer[] {
  return peers.kind === 'any' ? [] : peers.peers.filter((peer) => peer.kind === 'block');
}

function isInBlock({ cidr, except }: BlockPeer, address: IpAddress): boolean {
  return contains(cidr, address) && !except.some((hole) => contains(hole, address));
}

function clusterIps(kind: Service['kind']): readonly IpAddress[] {
  return kind.kind === 'clusterIP' ? kind.addresses : [];
}
