import { describe, expect, test } from 'vitest';
import { AddressPool } from '../../src/manifest/address-pool.ts';
import { parseIp, type IpAddress } from '../../src/net/ip.ts';

const ips = (...texts: string[]): IpAddress[] => texts.flatMap((text) => parseIp(text) ?? []);
const texts = (addresses: readonly IpAddress[]): string[] => addresses.map(({ text }) => text);

describe('an address pool', () => {
  test('hands out one address of each family, the same for the same key', () => {
    const pool = new AddressPool();
    expect(texts(pool.podAddresses('n/a'))).toEqual(['10.244.0.2', 'fd00:10:244::2']);
    expect(texts(pool.podAddresses('n/b'))).toEqual(['10.244.0.3', 'fd00:10:244::3']);
    expect(texts(pool.podAddresses('n/a'))).toEqual(['10.244.0.2', 'fd00:10:244::2']);
    expect(texts(pool.serviceAddresses('n/a'))).toEqual(['10.96.0.16', 'fd00:10:96::10']);
  });
  test('keeps the name server’s address for it', () => {
    const pool = new AddressPool();
    pool.retainServices(new Set());
    expect(texts(pool.serviceAddresses('kube-system/kube-dns'))).toEqual(['10.96.0.10', 'fd00:10:96::a']);
    expect(pool.reserveService('n/a', ips('10.96.0.10'))).toBe('kube-system/kube-dns');
  });
  test('hands out nothing that is reserved, of either family', () => {
    const pool = new AddressPool();
    pool.reservePod('n/a', ips('10.244.0.2'));
    pool.reservePod('n/b', ips('fd00:10:244::3'));
    expect(texts(pool.podAddresses('n/c'))).toEqual(['10.244.0.4', 'fd00:10:244::4']);
    expect(pool.reservePod('n/d', ips('10.244.0.4'))).toBe('n/c');
    expect(texts(pool.podAddresses('n/a'))).toEqual(['10.244.0.2']);
  });
  test('a reservation replaces what the key had', () => {
    const pool = new AddressPool();
    pool.podAddresses('n/a');
    expect(pool.reservePod('n/a', ips('10.0.0.1'))).toBeUndefined();
    expect(texts(pool.podAddresses('n/a'))).toEqual(['10.0.0.1']);
    expect(pool.reservePod('n/b', ips('10.244.0.2'))).toBeUndefined();
  });
  test('ends with the network, without its broadcast address, and begins again with what is freed', () => {
    const pool = new AddressPool();
    const handedOut = Array.from({ length: 65_533 }, (_, index) => pool.podAddresses(`n/${index}`));
    const v4 = new Set(handedOut.map(([first]) => first?.text));
    expect(v4.size).toBe(65_533);
    expect(['10.244.0.0', '10.244.0.1', '10.244.255.255'].filter((text) => v4.has(text))).toEqual([]);
    expect(pool.podAddresses('n/late')).toEqual([]);
    pool.releasePod('n/700');
    expect(pool.podAddresses('n/late')).toEqual(handedOut[700]);
  });
});
