import { encode, type OptAnswer } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answer } from '../../src/dns/answer.ts';
import { given } from '../builders/given.ts';
import { edns, query, question, read, type ReadResponse } from './dns-message.ts';
import { crowdedZone, exampleZone } from './example-zone.ts';

const zone = exampleZone();
const NAME = 'web.default.svc.cluster.local';
const HEADER_BYTES = 12;

function respond(message: Buffer, transport: 'udp' | 'tcp' = 'udp', from = zone): ReadResponse {
  return read(given(answer(from, message, transport), 'a message that is answered'));
}

/** The message with one byte of it replaced; `at` from the end if negative. */
function withByte(message: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(message);
  changed[at < 0 ? changed.length + at : at] = value;
  return changed;
}

describe('messages that nobody waits for an answer to', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['half a header', query(NAME, 'A').subarray(0, HEADER_BYTES - 1)],
    ['a response', query(NAME, 'A', { type: 'response' })],
  ])('%s is dropped', (_, message) => {
    expect(answer(zone, message, 'udp')).toBeUndefined();
  });
});

describe('messages that cannot be answered', () => {
  const plain = query(NAME, 'A');
  const inLabel = HEADER_BYTES + 1;
  it.each([
    ['no question', query(NAME, 'A', { questions: [] }), 'FORMERR'],
    ['two questions', query(NAME, 'A', { questions: [question(NAME, 'A'), question(NAME, 'AAAA')] }), 'FORMERR'],
    ['a question cut short', plain.subarray(0, -3), 'FORMERR'],
    ['a record that is missing', withByte(plain, 11, 1), 'FORMERR'],
    ['a label longer than the message', withByte(plain, HEADER_BYTES, 63), 'FORMERR'],
    ['a label of a reserved kind', withByte(plain, HEADER_BYTES, 0x80), 'FORMERR'],
    ['a name that points into the header', withByte(plain, HEADER_BYTES, 0xc0), 'FORMERR'],
    ['a label with a dot inside', withByte(plain, inLabel, '.'.charCodeAt(0)), 'FORMERR'],
    ['a label that is no UTF-8', withByte(plain, inLabel, 0xff), 'FORMERR'],
    ['two OPT records', query(NAME, 'A', { additionals: [edns(1232), edns(1232)] }), 'FORMERR'],
    ['opcode STATUS', withByte(plain, 2, 2 << 3), 'NOTIMP'],
    ['opcode UPDATE', withByte(plain, 2, 5 << 3), 'NOTIMP'],
    ['class CH', withByte(plain, -1, 3), 'REFUSED'],
    ['class ANY', withByte(plain, -1, 255), 'REFUSED'],
    ['a class that does not exist', withByte(plain, -1, 99), 'REFUSED'],
    ['zone transfer', query('cluster.local', 'AXFR'), 'REFUSED'],
    ['incremental zone transfer', query('cluster.local', 'IXFR'), 'REFUSED'],
  ])('%s', (_, message, rcode) => {
    expect(respond(message)).toMatchObject({ id: 4711, rcode, answers: [], authorities: [], additionals: [] });
  });

  it('keeps the opcode of what it does not implement', () => {
    const response = given(answer(zone, withByte(plain, 2, 5 << 3), 'udp'), 'an answered update');
    expect(((response[2] ?? 0) >>> 3) & 15).toBe(5);
  });

  it('repeats the question of what it refuses', () => {
    expect(respond(query('cluster.local', 'AXFR')).questions).toEqual(['cluster.local AXFR']);
    expect(respond(withByte(plain, -1, 3)).questions).toEqual([`${NAME} A`]);
  });
});

describe('header', () => {
  it('repeats id, RD and CD', () => {
    const RD_CD = 0x0110;
    expect(respond(query(NAME, 'A', { id: 65_535, flags: RD_CD }))).toMatchObject({ id: 65_535, flags: 'AA RD CD' });
    expect(respond(query(NAME, 'A', { id: 0, flags: 0 }))).toMatchObject({ id: 0, flags: 'AA' });
  });

  it('takes any other bytes of a name as they are', () => {
    expect(respond(query('www.münchen.example', 'A'))).toMatchObject({
      rcode: 'NXDOMAIN',
      questions: ['www.münchen.example A'],
    });
    // The Kelvin sign is lower case k to Unicode, not to DNS.
    expect(respond(query('\u212Aube-dns.kube-system.svc.cluster.local', 'A')).rcode).toBe('NXDOMAIN');
  });

  it('knows that the root exists', () => {
    expect(respond(query('.', 'NS'))).toMatchObject({ rcode: 'NOERROR', answers: [] });
  });
});

describe('EDNS', () => {
  function optOf(opt: OptAnswer): ReadResponse {
    return respond(query(NAME, 'A', { additionals: [opt] }));
  }

  it('is not answered to those who do not speak it', () => {
    expect(respond(query(NAME, 'A')).edns).toBeUndefined();
  });

  it('advertises a size of its own and repeats DO', () => {
    expect(optOf(edns(4096)).edns).toMatchObject({ udpPayloadSize: 1232, ednsVersion: 0, flag_do: false, options: [] });
    expect(optOf(edns(4096, { flags: 0x8000 })).edns).toMatchObject({ flag_do: true });
  });

  it('says BADVERS to a later version', () => {
    const response = optOf(edns(1232, { ednsVersion: 1 }));
    expect(response).toMatchObject({ rcode: 'NOERROR', answers: [], edns: { extendedRcode: 1, ednsVersion: 0 } });
  });

  it('takes options that it does not know', () => {
    const cookie = { code: 10, data: Buffer.alloc(8, 1) } as unknown as OptAnswer['options'][number];
    expect(optOf(edns(1232, { options: [cookie] })).answers).toEqual([`${NAME} 5 A 10.96.0.20`]);
  });
});

describe('size', () => {
  const BIG = 'big.default.svc.cluster.local';
  const crowded = crowdedZone(100);

  it.each([
    ['without EDNS', [], 512],
    ['with a size below the least', [edns(100)], 512],
    ['with a size', [edns(800)], 800],
    ['with a size above ours', [edns(4096)], 1232],
  ])('%s, UDP holds as many answers as fit', (_, additionals, limit) => {
    const message = given(answer(crowded, query(BIG, 'A', { additionals }), 'udp'), 'an answered query');
    const response = read(message);
    expect(message.length).toBeLessThanOrEqual(limit);
    expect(response).toMatchObject({ rcode: 'NOERROR', flags: 'AA TC RD' });
    const oneRecord = encode({ answers: [{ name: BIG, type: 'A', data: '10.250.0.0' }] }).length - HEADER_BYTES;
    expect(limit - message.length).toBeLessThan(oneRecord);
    expect(response.answers[0]).toBe(`${BIG} 5 A 10.250.0.0`);
  });

  it('TCP holds all', () => {
    const response = respond(query(BIG, 'A'), 'tcp', crowded);
    expect(response.flags).toBe('AA RD');
    expect(response.answers).toHaveLength(100);
  });

  it('TCP has an end, too', () => {
    const message = given(answer(crowdedZone(2000), query(BIG, 'A'), 'tcp'), 'an answered query');
    expect(message.length).toBeLessThanOrEqual(65_535);
    expect(read(message).flags).toBe('AA TC RD');
  });

  it('additional records go before answers do, unannounced', () => {
    const response = respond(query(`_http._tcp.${BIG}`, 'SRV'), 'udp', crowdedZone(4));
    expect(response.answers).toHaveLength(4);
    expect(response).toMatchObject({ flags: 'AA RD', additionals: [] });
  });
});

describe('hostile messages', () => {
  const SEED = 20_240_607;
  const bases = [
    query(NAME, 'A'),
    query('_sql._tcp.db.default.svc.cluster.local', 'SRV', { additionals: [edns(4096)] }),
    query('20.0.96.10.in-addr.arpa', 'PTR'),
    query(NAME, 'A', {
      answers: [
        { name: NAME, type: 'SOA', data: { mname: 'a.b', rname: 'c.d' } },
        { name: NAME, type: 'TXT', data: ['x', 'yy'] },
        { name: NAME, type: 'NSEC', data: { nextDomain: 'a.b', rrtypes: ['A', 'TXT'] } },
      ],
    }),
  ];
  const mutated = fc
    .record({
      base: fc.constantFrom(...bases),
      bytes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
      cut: fc.option(fc.nat(), { freq: 4 }),
      tail: fc.uint8Array({ maxLength: 8 }),
    })
    .map(({ base, bytes, cut, tail }) => {
      const message = Buffer.concat([cut === null ? base : base.subarray(0, cut % base.length), tail]);
      for (const [at, value] of bytes) if (message.length > 0) message[at % message.length] = value;
      return message;
    });

  function check(message: Buffer): void {
    const response = answer(zone, message, 'udp');
    const isQuery = message.length >= HEADER_BYTES && (message[2] ?? 0) < 0x80;
    expect(response !== undefined).toBe(isQuery);
    if (!response) return;
    expect(response.length).toBeLessThanOrEqual(1232);
    expect(read(response).id).toBe(message.readUInt16BE(0));
  }

  it('10,000 mutated queries are answered or dropped, never thrown on', () => {
    fc.assert(fc.property(mutated, check), { numRuns: 10_000, seed: SEED });
  });

  it('so are 2,000 messages of random bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array));
    fc.assert(fc.property(bytes, check), { numRuns: 2_000, seed: SEED });
  });
});
