import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { bitString, utcTime, identifier, integer, octetString, sequence, set, tagged, truth, utf8 } from './der.ts';

/** A certificate authority of a lab's own and the certificate of its server, in PEM. The authority's key is thrown away. */
export interface ServerCertificate {
  readonly caPem: string;
  readonly certificatePem: string;
  readonly keyPem: string;
}

const VALID_DAYS = 825; // the most that TLS clients take of a server's certificate
const DAY_MS = 86_400_000;
const CLOCK_SKEW_MS = 3_600_000;

/** Makes the certificates of a server on 127.0.0.1, ::1 and localhost. Cost: about a millisecond. Source: RFC 5280. */
export function makeCertificate(now: Date): ServerCertificate {
  const ca = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const server = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const authority = { name: 'netpol-lab CA', key: ca.privateKey };
  const caPem = certificate(
    { name: authority.name, publicKey: ca.publicKey, extensions: [isAuthority(), keyUsage(0x06, 1)] },
    authority,
    now,
  );
  const certificatePem = certificate(
    { name: 'netpol-lab', publicKey: server.publicKey, extensions: [keyUsage(0x80, 7), serverAuth(), names()] },
    authority,
    now,
  );
  return { caPem, certificatePem, keyPem: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

interface Subject {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

const ECDSA_WITH_SHA256 = sequence(identifier('1.2.840.10045.4.3.2'));

function certificate(subject: Subject, issuer: { name: string; key: KeyObject }, now: Date): string {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // positive, and of full length
  const body = sequence(
    tagged(0, true, integer(Buffer.from([2]))), // version 3
    integer(serial),
    ECDSA_WITH_SHA256,
    commonName(issuer.name),
    sequence(utcTime(new Date(now.getTime() - CLOCK_SKEW_MS)), utcTime(new Date(now.getTime() + VALID_DAYS * DAY_MS))),
    commonName(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, true, sequence(...subject.extensions)),
  );
  const signature = sign('sha256', body, issuer.key);
  return pem(sequence(body, ECDSA_WITH_SHA256, bitString(signature)));
}

function commonName(name: string): Buffer {
  return sequence(set(sequence(identifier('2.5.4.3'), utf8(name))));
}

function isAuthority(): Buffer {
  return sequence(identifier('2.5.29.19'), truth(), octetString(sequence(truth())));
}

/** The uses of the key: 0x80 signatures, 0x06 certificates and revocation lists. */
function keyUsage(bits: number, unused: number): Buffer {
  return sequence(identifier('2.5.29.15'), truth(), octetString(bitString(Buffer.from([bits]), unused)));
}

function serverAuth(): Buffer {
  return sequence(identifier('2.5.29.37'), octetString(sequence(identifier('1.3.6.1.5.5.7.3.1'))));
}

function names(): Buffer {
  const loopback6 = Buffer.from([...Array<number>(15).fill(0), 1]);
  const list = sequence(
    tagged(2, false, Buffer.from('localhost')),
    tagged(7, false, Buffer.from([127, 0, 0, 1])),
    tagged(7, false, loopback6),
  );
  return sequence(identifier('2.5.29.17'), octetString(list));
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
