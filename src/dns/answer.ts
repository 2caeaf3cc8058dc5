import { AUTHORITATIVE_ANSWER, RECURSION_AVAILABLE, type Answer } from 'dns-packet';
import { canonical, CLUSTER_DOMAIN, isWithin } from './names.ts';
import type { ZoneRecord } from './record.ts';
import { RCODE, readRequest, writeReply, type DnsTransport, type Rcode, type Reply, type Request } from './wire.ts';
import { isAuthoritative, recordsOf, type Zone } from './zone.ts';

/**
 * Answers one DNS message from the zone, as CoreDNS with kubeadm's configuration would.
 * There is no upstream resolver: a name outside the cluster that is no external host of the lab is NXDOMAIN.
 * @param query a message without the length that TCP puts in front of it; any bytes are safe.
 * @returns the response, or undefined if the message deserves none: not a query, or without a whole header.
 * Cost: a map lookup a name; a response is as long as its records, since names in it are not compressed.
 */
export function answer(zone: Zone, query: Buffer, transport: DnsTransport): Buffer | undefined {
  const request = readRequest(query);
  return request && writeReply(request, replyTo(zone, request), transport);
}

function replyTo(zone: Zone, { rcode, question }: Request): Reply {
  if (rcode !== RCODE.NOERROR || !question) return refusal(rcode);
  // CoreDNS transfers no zone unless told to.
  if (question.type === 'AXFR' || question.type === 'IXFR') return refusal(RCODE.REFUSED);
  return lookUp(zone, question);
}

function refusal(rcode: Rcode): Reply {
  return { rcode, flags: 0, answers: [], authorities: [], additionals: [] };
}

/**
 * Looks a name up and follows CNAMEs; the code is that of the last name (RFC 6604 §3). AA is for the cluster's names,
 * RA for others, which a real cluster's name server would have asked its upstream for.
 */
function lookUp(zone: Zone, { name, type }: { readonly name: string; readonly type: string }): Reply {
  const answers: Answer[] = [];
  const visited = new Set<string>();
  let owner = name;
  for (;;) {
    const key = canonical(owner);
    visited.add(key);
    const records = recordsOf(zone, key);
    // ANY gets one type of those that are there (RFC 8482 §4.1).
    const wanted = type === 'ANY' ? records?.[0]?.type : type;
    const found = records?.filter((record) => record.type === wanted) ?? [];
    answers.push(...found.map((record) => toAnswer(owner, record)));
    const alias = found.length === 0 ? records?.find((record) => record.type === 'CNAME') : undefined;
    if (alias?.type === 'CNAME') {
      answers.push(toAnswer(owner, alias));
      owner = alias.data;
      if (!visited.has(owner)) continue;
    }
    return {
      rcode: records ? RCODE.NOERROR : RCODE.NXDOMAIN,
      flags: isAuthoritative(zone, canonical(name)) ? AUTHORITATIVE_ANSWER : RECURSION_AVAILABLE,
      answers,
      authorities: found.length === 0 && isWithin(key, CLUSTER_DOMAIN) ? [toAnswer(CLUSTER_DOMAIN, zone.soa)] : [],
      additionals: additionalAddresses(zone, found),
    };
  }
}

/** The addresses of the hosts that SRV and NS records name, so that clients need not ask again. */
function additionalAddresses(zone: Zone, found: readonly ZoneRecord[]): Answer[] {
  const hosts = new Set(found.flatMap(hostNamedBy));
  return [...hosts].flatMap((host) => {
    const addresses = (recordsOf(zone, host) ?? []).filter(({ type }) => type === 'A' || type === 'AAAA');
    return addresses.map((record) => toAnswer(host, record));
  });
}

function hostNamedBy(record: ZoneRecord): string[] {
  if (record.type === 'SRV') return [record.data.target];
  return record.type === 'NS' ? [record.data] : [];
}

function toAnswer(owner: string, record: ZoneRecord): Answer {
  return { name: owner, class: 'IN', ...record };
}
