import {
  decode,
  encode,
  RECURSION_DESIRED,
  type Answer,
  type OptAnswer,
  type Packet,
  type RecordType,
} from 'dns-packet';
import { answer } from '../../src/dns/answer.ts';
import type { Zone } from '../../src/dns/zone.ts';
import { given } from '../builders/given.ts';

const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/** A response as dig would print it: records are `OWNER TTL TYPE DATA`, an OPT record stands apart. */
export interface ReadResponse {
  readonly id: number;
  readonly rcode: string;
  /** Of AA, TC, RD, RA and CD those that are set. */
  readonly flags: string;
  readonly questions: readonly string[];
  readonly answers: readonly string[];
  readonly authorities: readonly string[];
  readonly additionals: readonly string[];
  readonly edns: OptAnswer | undefined;
}

/** A query for one name, with RD set as stub resolvers do. */
export function query(name: string, type: string, more: Partial<Packet> = {}): Buffer {
  return encode({ type: 'query', id: 4711, flags: RECURSION_DESIRED, questions: [question(name, type)], ...more });
}

/** A question; the library's types do not know every type of record that it can write. */
export function question(name: string, type: string): { name: string; type: RecordType } {
  return { name, type: type as RecordType };
}

/** An OPT record of a client. */
export function edns(udpPayloadSize: number, more: Partial<OptAnswer> = {}): OptAnswer {
  return {
    name: '.',
    type: 'OPT',
    udpPayloadSize,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
    ...more,
  };
}

/** Asks and reads the response; a dropped query is an error. */
export function ask(zone: Zone, name: string, type: string): ReadResponse {
  return read(given(answer(zone, query(name, type), 'udp'), 'a query that is answered'));
}

/** Reads a response. */
export function read(message: Buffer): ReadResponse {
  const packet = decode(message);
  const additionals = packet.additionals ?? [];
  const flags = [
    packet.flag_aa && 'AA',
    packet.flag_tc && 'TC',
    packet.flag_rd && 'RD',
    packet.flag_ra && 'RA',
    packet.flag_cd && 'CD',
  ];
  return {
    id: packet.id ?? 0,
    rcode: RCODES[(packet.flags ?? 0) & 15] ?? 'unexpected',
    flags: flags.filter(Boolean).join(' '),
    questions: (packet.questions ?? []).map((asked) => `${asked.name} ${asked.type}`),
    answers: (packet.answers ?? []).map(recordText),
    authorities: (packet.authorities ?? []).map(recordText),
    additionals: additionals.filter((record) => record.type !== 'OPT').map(recordText),
    edns: additionals.find((record): record is OptAnswer => record.type === 'OPT'),
  };
}

function recordText(record: Answer): string {
  return record.type === 'OPT' ? 'OPT' : `${record.name} ${record.ttl ?? 0} ${record.type} ${dataText(record)}`;
}

function dataText(record: Exclude<Answer, OptAnswer>): string {
  switch (record.type) {
    case 'SRV':
      return `${record.data.priority ?? 0} ${record.data.weight ?? 0} ${record.data.port} ${record.data.target}`;
    case 'SOA':
      return `${record.data.mname} ${record.data.rname} ${record.data.serial ?? 0}`;
    case 'TXT':
      return [record.data].flat().map(String).join(' ');
    default:
      return typeof record.data === 'string' ? record.data : JSON.stringify(record.data);
  }
}
