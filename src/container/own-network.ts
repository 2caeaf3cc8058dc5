import { execFileSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { SERVICE_NETWORKS } from '../manifest/address-pool.ts';
import { LabError } from '../model/lab-error.ts';
import { parseIp, type IpAddress } from '../net/ip.ts';
import { parsePrefix, type Prefix } from '../net/prefix.ts';

/** An address of this process's network, its device and the network behind that. */
interface OwnAddress {
  readonly device: string;
  readonly address: IpAddress;
  readonly network: Prefix;
}

/** The addresses of this process's network, one of each family at most. @throws LabError if there is none. */
export function ownAddresses(): IpAddress[] {
  return own().map(({ address }) => address);
}

/** Makes hosts with these addresses neighbours, whatever the addresses. Needs NET_ADMIN. @throws LabError. */
export function routeTo(addresses: readonly string[]): void {
  configure(linesFor(addresses, (text, { device }) => [`route replace ${text} dev ${device}`]));
}

/**
 * Makes Services' addresses go out on the pods' network, where none of them is: a connection needs a route before it is
 * translated. Needs NET_ADMIN. @throws LabError.
 */
export function routeToServices(): void {
  const networks = SERVICE_NETWORKS.flatMap((text) => parsePrefix(text) ?? []);
  configure(
    own().flatMap(({ device, address }) =>
      networks.flatMap(({ family, text }) =>
        family === address.family ? [`route replace ${text} dev ${device}`] : [],
      ),
    ),
  );
}

/** Leaves no route but those to neighbours: what runs here reaches nothing beyond its network. Needs NET_ADMIN. @throws LabError. */
export function closeWayOut(): void {
  try {
    for (const family of ['-4', '-6'])
      execFileSync('ip', [family, 'route', 'flush', 'exact', 'default'], { stdio: 'pipe' });
  } catch (cause) {
    throw new LabError('environment', `the default route cannot be removed: ${String(cause)}`, { cause });
  }
}

/** Gives this host further addresses, and lets what it sends to its neighbours come from them. Needs NET_ADMIN. @throws LabError. */
export function takeAddresses(addresses: readonly string[]): void {
  const lines = linesFor(addresses, (text, { device, network }) =>
    network.family === 4
      ? [`addr replace ${text}/32 dev ${device}`, `route replace ${network.text} dev ${device} src ${text}`]
      : [
          `addr replace ${text}/128 dev ${device} nodad`,
          // Better than the kernel's own of metric 256, which IPv6 keeps beside it.
          `route replace ${network.text} dev ${device} src ${text} metric 128`,
        ],
  );
  configure(lines);
}

function linesFor(addresses: readonly string[], lines: (text: string, own: OwnAddress) => string[]): string[] {
  const known = own();
  return addresses.flatMap((text) => {
    const address = parseIp(text);
    const place = known.find((each) => each.address.family === address?.family);
    return address && place ? lines(address.text, place) : [];
  });
}

function configure(lines: readonly string[]): void {
  if (lines.length === 0) return;
  try {
    execFileSync('ip', ['-batch', '-'], { input: lines.map((line) => `${line}\n`).join(''), stdio: 'pipe' });
  } catch (cause) {
    throw new LabError('environment', `addresses and routes cannot be set (is NET_ADMIN missing?): ${String(cause)}`, {
      cause,
    });
  }
}

function own(): OwnAddress[] {
  const all = Object.entries(networkInterfaces()).flatMap(([device, addresses = []]) =>
    addresses
      .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
      .flatMap(({ address: text, cidr }) => {
        const [address, network] = [parseIp(text), parsePrefix(cidr ?? '')];
        return address && network ? [{ device, address, network }] : [];
      }),
  );
  const found = ([4, 6] as const).flatMap((family) => all.find(({ address }) => address.family === family) ?? []);
  if (found.length === 0) throw new LabError('environment', 'this container has no address: is it on a network?');
  return found;
}
