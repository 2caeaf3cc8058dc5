import { dial, type DialResult } from '../lab/netns/dialler.ts';
import { parseIp } from '../net/ip.ts';
import type { FromProxy, ProbeOrder } from './messages.ts';

/** Tries one real connection from this process's own network. */
export async function probe({ id, address: text, protocol, port, timeoutMs }: ProbeOrder): Promise<FromProxy> {
  const address = parseIp(text);
  const none: DialResult = { outcome: { kind: 'error', code: 'EINVAL' }, sourcePort: 0, ms: 0 };
  return {
    kind: 'probed',
    id,
    result: address ? await dial({ namespace: undefined, address, protocol, port, timeoutMs }) : none,
  };
}
