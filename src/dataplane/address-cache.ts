import { fromBytes, type IpAddress } from '../net/ip.ts';

const KEPT = 1024; // of a lab's pods and the hosts around; about 200 KB

const byBytes = new Map<string, IpAddress>();

/**
 * The address of 4 or 16 bytes that starts at `at`. Records name the same few addresses again and again, and printing
 * one costs more than everything else in a record. Cost: about 100 ns for an address of late, else some microseconds.
 */
export function addressAt(bytes: Uint8Array, at: number, length: number): IpAddress {
  const key = String.fromCharCode(...bytes.subarray(at, at + length));
  const known = byBytes.get(key);
  if (known) return known;
  if (byBytes.size >= KEPT) byBytes.clear();
  const address = fromBytes(bytes.subarray(at, at + length));
  byBytes.set(key, address);
  return address;
}
