import koffi from 'koffi';
import { checked, closeFd, inNamespace, libc } from '../../src/dataplane/libc.ts';
import { setReadTimeout } from '../../src/dataplane/netlink.ts';
import { toBytes, type IpAddress } from '../../src/net/ip.ts';
import type { TestPod } from './node-network.ts';

const PROTOCOL = { 4: 1, 6: 58 } as const;
const REQUEST = { 4: 8, 6: 128 } as const;
const REPLY = { 4: 0, 6: 129 } as const;
const PATIENCE_MS = 300;

const connect = koffi.load(null).func('int connect(int fd, void *address, uint32_t length)') as (
  fd: number,
  address: Uint8Array,
  length: number,
) => number;

/** Whether an ICMP echo request of a pod is answered, as ping would find out. Blocks meanwhile. */
export function echoAttempt(pod: TestPod, address: IpAddress): boolean {
  const { family } = address;
  const fd = inNamespace(pod.namespace, () =>
    checked('socket', libc.socket(family === 4 ? 2 : 10, 3, PROTOCOL[family])),
  );
  try {
    setReadTimeout(fd, PATIENCE_MS);
    const name = new Uint8Array(family === 4 ? 16 : 28);
    new Uint16Array(name.buffer)[0] = family === 4 ? 2 : 10;
    name.set(toBytes(address.words), family === 4 ? 4 : 8);
    checked('connect', connect(fd, name, name.length));
    // Identifier 0x1234, sequence 1; the kernel fills in the checksum of IPv6.
    const sum = 0xffff - ((REQUEST[4] << 8) + 0x1234 + 1);
    const checksum = family === 4 ? [sum >>> 8, sum & 255] : [0, 0];
    const request = Uint8Array.from([REQUEST[family], 0, ...checksum, 0x12, 0x34, 0, 1]);
    checked('send', libc.send(fd, request, request.length, 0));
    const answer = new Uint8Array(1500);
    for (;;) {
      if (libc.recv(fd, answer, answer.length, 0) < 0) return false;
      if (answer[family === 4 ? 20 : 0] === REPLY[family]) return true; // IPv4 comes with its header
    }
  } finally {
    closeFd(fd);
  }
}
