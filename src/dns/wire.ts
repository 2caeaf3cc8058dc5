import {
  CHECKING_DISABLED,
  decode,
  encode,
  encodingLength,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
  type Answer,
  type DecodedPacket,
  type OptAnswer,
  type Packet,
  type Question,
} from 'dns-packet';

/** Response codes. Source: RFC 1035 §4.1.1; BADVERS: RFC 6891 §9. */
export const RCODE = { NOERROR: 0, FORMERR: 1, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const;

/** One of RCODE. */
export type Rcode = (typeof RCODE)[keyof typeof RCODE];

/** A message that wants an answer. */
export interface Request {
  readonly id: number;
  readonly flags: number;
  /** What is wrong with the message itself; NOERROR if its question can be looked up. */
  readonly rcode: Rcode;
  /** As asked, its case kept. Undefined if there is none, or none that could be repeated byte for byte. */
  readonly question: Question | undefined;
  /** The client's OPT record. */
  readonly edns: OptAnswer | undefined;
}

/** What to say to a request. `flags` are AUTHORITATIVE_ANSWER or RECURSION_AVAILABLE or none. */
export interface Reply {
  readonly rcode: Rcode;
  readonly flags: number;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

/** How a message came. */
export type DnsTransport = 'udp' | 'tcp';

const HEADER_BYTES = 12;
const OPCODE_MASK = 0x7800;
const RCODE_MASK = 0xf; // the upper bits of a longer code go into the OPT record
const DNSSEC_OK_MASK = 0x8000;
const MIN_UDP_BYTES = 512; // RFC 1035 §4.2.1: what a client without EDNS takes
const MAX_UDP_BYTES = 1232; // passes any path unfragmented (DNS flag day 2020)
const MAX_TCP_BYTES = 65_535; // the length in front of a message has two bytes

/** Reads a message. @returns undefined if nobody waits for an answer: no whole header, or itself a response. */
export function readRequest(message: Buffer): Request | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  // Id and flags alone: padded with zeros, the header says that no section follows.
  const { id = 0, flags = 0, flag_qr: isResponse } = decode(Buffer.concat([message.subarray(0, 4)], HEADER_BYTES));
  return isResponse ? undefined : { id, flags, ...readSections(message, flags) };
}

function readSections(message: Buffer, flags: number): Pick<Request, 'rcode' | 'question' | 'edns'> {
  const unread = { question: undefined, edns: undefined };
  if ((flags & OPCODE_MASK) !== 0) return { rcode: RCODE.NOTIMP, ...unread };
  const packet = decodeOrUndefined(message);
  const [asked, ...more] = packet?.questions ?? [];
  const [edns, ...otherEdns] = (packet?.additionals ?? []).filter(isOpt);
  if (!asked || more.length > 0 || otherEdns.length > 0) return { rcode: RCODE.FORMERR, ...unread };

  const question = isFaithful(asked, message) ? asked : undefined;
  if (edns && edns.ednsVersion !== 0) return { rcode: RCODE.BADVERS, question, edns };
  if (asked.class !== 'IN') return { rcode: RCODE.REFUSED, question, edns };
  return { rcode: question ? RCODE.NOERROR : RCODE.FORMERR, question, edns };
}

function decodeOrUndefined(message: Buffer): DecodedPacket | undefined {
  try {
    return decode(message);
  } catch {
    return undefined; // the library's only way of saying that the message is malformed
  }
}

/**
 * Whether the question reads back as it was written. Text cannot hold every name of the wire format (dots within
 * labels, other bytes than UTF-8, pointers): no such name exists here, and repeating another one would mislead.
 */
function isFaithful(question: Question, message: Buffer): boolean {
  const written = encode({ questions: [question] }).subarray(HEADER_BYTES);
  return written.equals(message.subarray(HEADER_BYTES, HEADER_BYTES + written.length));
}

function isOpt(record: Answer): record is OptAnswer {
  return record.type === 'OPT';
}

/**
 * Writes the reply to a request, at most as long as the transport and the client take. If it is too long, additional
 * records go first; then as many answers stay as fit and TC is set, so that the client asks again over TCP
 * (RFC 2181 §9). Some resolvers never do (musl before 1.2.4) and use the answers that are there.
 */
export function writeReply(request: Request, reply: Reply, transport: DnsTransport): Buffer {
  const opt = request.edns ? [replyOpt(request.edns, reply.rcode)] : [];
  const bare = {
    type: 'response',
    id: request.id,
    flags: replyFlags(request, reply),
    questions: request.question ? [request.question] : [],
    answers: [...reply.answers],
    authorities: [...reply.authorities],
    additionals: opt,
  } satisfies Packet;
  const limit = sizeLimit(request, transport);
  const whole: Packet = { ...bare, additionals: [...reply.additionals, ...opt] };
  const fits = [whole, bare].find((packet) => encodingLength(packet) <= limit);
  return encode(fits ?? truncated(bare, limit));
}

function truncated(packet: Packet & { readonly flags: number }, limit: number): Packet {
  const empty = { ...packet, flags: packet.flags | TRUNCATED_RESPONSE, answers: [], authorities: [] };
  const answers: Answer[] = [];
  let room = limit - encodingLength(empty);
  for (const record of packet.answers ?? []) {
    room -= encodingLength({ answers: [record] }) - HEADER_BYTES;
    if (room < 0) break;
    answers.push(record);
  }
  return { ...empty, answers };
}

/** Opcode, RD and CD are the client's, as in every response. */
function replyFlags(request: Request, reply: Reply): number {
  const repeated = request.flags & (OPCODE_MASK | RECURSION_DESIRED | CHECKING_DISABLED);
  return repeated | reply.flags | (reply.rcode & RCODE_MASK);
}

function replyOpt(client: OptAnswer, rcode: Rcode): OptAnswer {
  return {
    name: '.',
    type: 'OPT',
    udpPayloadSize: MAX_UDP_BYTES,
    extendedRcode: rcode >>> 4,
    ednsVersion: 0,
    flags: client.flags & DNSSEC_OK_MASK, // RFC 3225 §3: repeated, though nothing here is signed
    flag_do: client.flag_do,
    options: [],
  };
}

function sizeLimit({ edns }: Request, transport: DnsTransport): number {
  if (transport === 'tcp') return MAX_TCP_BYTES;
  return Math.min(MAX_UDP_BYTES, Math.max(MIN_UDP_BYTES, edns?.udpPayloadSize ?? 0));
}
