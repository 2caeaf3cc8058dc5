import type { Cluster } from '../model/cluster.ts';
import type { BlockPeer, NetworkPolicy } from '../model/policy.ts';
import { classifyAddresses } from './address-classes.ts';
import { classifyCidrs } from './cidr-classes.ts';
import { explain } from './explain.ts';
import { identify } from './identities.ts';
import { isolate } from './isolation.ts';
import { Members } from './members.ts';
import type { PolicyTable } from './policy-table.ts';
import { classifyPorts } from './port-classes.ts';
import { PortSets } from './port-sets.ts';
import { Rows } from './rows.ts';
import { RuleColumns } from './rule-columns.ts';
import { allRanges, RulePorts } from './rule-ports.ts';
import { writeTable } from './write-table.ts';

/** Compiles the cluster's policies. Throws RangeError if the table would exceed its format's limit of 8 GiB. */
export function compile(cluster: Cluster): PolicyTable {
  const { list: identities, endpoints } = identify(cluster);
  const members = new Members(cluster, identities);
  const isolation = isolate(cluster, members, identities.length);
  const cidrs = classifyCidrs(blocksOf(cluster.policies));
  const addresses = classifyAddresses(endpoints, cidrs);
  const ports = classifyPorts(allRanges(cluster.policies, identities));
  const portSets = new PortSets(ports);
  const rows = new Rows({
    columns: addresses.columns,
    ruleColumns: new RuleColumns(addresses.columns, members, cidrs),
    rulePorts: new RulePorts(portSets),
    portSets,
  });
  const rowsOf = identities.map((identity) => ({
    egress: rows.of(identity, 'egress', isolation.egress[identity.id] ?? []),
    ingress: rows.of(identity, 'ingress', isolation.ingress[identity.id] ?? []),
  }));
  const buffer = writeTable({ addresses, ports, portSets, rows, rowsOf });
  return {
    cluster,
    buffer,
    explain: (connection) => explain({ cluster, endpoints, isolation }, connection),
    stats: {
      identities: identities.length,
      cidrClasses: cidrs.count,
      portClasses: ports.count,
      portSets: portSets.sets.count,
      columns: addresses.columns.length,
      rows: rows.rows.count,
      bytes: buffer.byteLength,
    },
  };
}

function* blocksOf(policies: readonly NetworkPolicy[]): Generator<BlockPeer> {
  for (const { ingress, egress } of policies) {
    for (const side of [ingress, egress]) {
      for (const { peers } of side.kind === 'isolates' ? side.rules : []) {
        if (peers.kind === 'list') yield* peers.peers.filter((peer) => peer.kind === 'block');
      }
    }
  }
}
