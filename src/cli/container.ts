import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LabError } from '../model/lab-error.ts';
import { CNI_NAMES } from '../cni/profile.ts';
import type { ExternalHost, LabOptions } from '../lab/lab-client.ts';
import type { ApiLocation } from '../kube/api-location.ts';
import type { PortSpec } from '../model/question.ts';
import { parseIp, type IpAddress } from '../net/ip.ts';
import { parsePort, type Port } from '../net/port.ts';

// What runs inside the containers of a lab. It is not for users, so it is in no help; it does without the command
// line's parser, as every megabyte and millisecond of it counts once for each pod.

/** The exit code of what is not an error of usage or environment: another try may go well. */
const EXIT_BUG = 70;

const GATEWAY = '10.244.0.1,fd00:10:244::1'; // of the network that compose files have for pods
const LISTEN = '0.0.0.0:6443';
const QUEUE = 0; // a pod's namespace is its proxy's alone
const READY_FILE = '/run/netpol-lab-proxy/ready';

type Values = Readonly<Record<string, string | undefined>>;

/** Runs `container VERB …`, given without these words' first. Sets the process's exit code; returns once the verb serves. */
export async function runContainer([verb = '', ...args]: readonly string[]): Promise<void> {
  try {
    await serve(verb, args);
  } catch (error) {
    fail(error);
  }
}

async function serve(verb: string, args: readonly string[]): Promise<void> {
  switch (verb) {
    case 'control-plane':
      await controlPlane(
        valuesOf(args, [
          'manifests',
          'name',
          'deny',
          'established',
          'carry',
          'cni',
          'external',
          'run',
          'listen',
          'node-addresses',
        ]),
      );
      return;
    case 'proxy':
      await proxy(valuesOf(args, ['pod', 'shown', 'run', 'ready-file']));
      return;
    case 'server':
      await server(args);
      return;
    case 'dns':
      await dns(valuesOf(args, ['run', 'external']));
      return;
    case 'egress-gateway':
      await egressGateway(valuesOf(args, ['pod', 'port', 'run']));
      return;
    case 'external':
      await external(args);
      return;
    default:
      throw new LabError('usage', `no process of a container is called "${verb}"`);
  }
}

async function controlPlane(values: Values): Promise<void> {
  const { placedManifests } = await import('../lab/compose/placed-manifests.ts');
  const { serveControlPlane } = await import('../container/control-plane.ts');
  const stop = (): void => {
    serving[Symbol.asyncDispose]().then(() => process.exit(0), fail);
  };
  const serving = await serveControlPlane({
    spec: {
      name: required(values, 'name'),
      files: await placedManifests(required(values, 'manifests')),
      external: externalHosts(values.external),
      options: labOptions(values),
    },
    nodeAddresses: (values['node-addresses'] ?? GATEWAY).split(',').map(addressOf),
    runFolder: required(values, 'run'),
    listen: listenAt(values.listen ?? LISTEN),
    say,
    onStop: stop,
  });
  onStop(async () => {
    await serving[Symbol.asyncDispose]();
  });
}

function listenAt(text: string): { address: IpAddress; port: Port } {
  const colon = text.lastIndexOf(':');
  const port = parsePort(text.slice(colon + 1));
  if (!port) throw new LabError('usage', `--listen ${text}: write ADDRESS:PORT`);
  return { address: addressOf(text.slice(0, colon)), port };
}

function addressOf(text: string): IpAddress {
  const address = parseIp(text.replace(/^\[(.*)\]$/, '$1'));
  if (!address) throw new LabError('usage', `"${text}" is no IP address`);
  return address;
}

/** Closes the pod before anything else. */
async function proxy(values: Values): Promise<void> {
  const { PodFirewall } = await import('../dataplane/pod-firewall.ts');
  const firewall = PodFirewall.closed({ queue: QUEUE });
  const { PodProxy } = await import('../container/pod-proxy.ts');
  const { PROXY_SOCKET } = await import('../container/messages.ts');
  const { keepResidentSmall } = await import('../container/resident.ts');
  keepResidentSmall();
  const running = PodProxy.start({
    pod: required(values, 'pod'),
    firewall,
    shown: values.shown?.split(',') ?? [],
    queue: QUEUE,
    api: await apiOf(values),
    controlSocket: join(required(values, 'run'), PROXY_SOCKET),
    readyFile: values['ready-file'] ?? READY_FILE,
    say,
    onFailure: fail,
  });
  onStop(() => running.stop());
}

async function server(args: readonly string[]): Promise<void> {
  const { ports, values } = await withPorts(args, ['pod']);
  const { servePorts } = await import('../container/pod-server.ts');
  const { ownAddresses } = await import('../container/own-network.ts');
  const [namespace = 'default', name = hostname()] = (values.pod ?? `default/${hostname()}`).split('/');
  await servePorts(ports, [
    ['pod', name],
    ['namespace', namespace],
    [
      'address',
      ownAddresses()
        .map(({ text }) => text)
        .join(' '),
    ],
  ]);
  onStop(() => Promise.resolve());
}

async function dns(values: Values): Promise<void> {
  const { serveClusterDns } = await import('../container/dns.ts');
  const api = await apiOf(values);
  await serveClusterDns({ api, external: externalHosts(values.external), say });
  onStop(() => Promise.resolve());
}

async function egressGateway(values: Values): Promise<void> {
  process.env.RES_OPTIONS ??= 'timeout:1 attempts:2'; // a name server that policies close is not to hold names up for long
  const { EgressGateway } = await import('../container/egress-gateway.ts');
  const { CONTROL_SOCKET } = await import('../container/messages.ts');
  const port = parsePort(required(values, 'port'));
  if (!port) throw new LabError('usage', `--port ${values.port}: write a number`);
  const gateway = await EgressGateway.start({
    pod: required(values, 'pod'),
    port,
    controlSocket: join(required(values, 'run'), CONTROL_SOCKET),
    tell: (line) => process.stdout.write(`${line}\n`),
  });
  onStop(() => gateway[Symbol.asyncDispose]());
}

async function external(args: readonly string[]): Promise<void> {
  const { ports, values } = await withPorts(args, ['name', 'addresses', 'run']);
  const { serveOutsideHost } = await import('../container/outside-host.ts');
  await serveOutsideHost({
    name: values.name ?? hostname(),
    addresses: required(values, 'addresses').split(','),
    ports,
    runFolder: values.run,
  });
  onStop(() => Promise.resolve());
}

async function apiOf(values: Values): Promise<ApiLocation> {
  const { API_SOCKET } = await import('../container/messages.ts');
  return { kind: 'socket', path: join(required(values, 'run'), API_SOCKET) };
}

function externalHosts(file: string | undefined): ExternalHost[] {
  return file === undefined ? [] : (JSON.parse(readFileSync(file, 'utf8')) as ExternalHost[]);
}

function labOptions({ deny = 'drop', established = 'keep', carry = 'relay', cni = 'reference' }: Values): LabOptions {
  if (deny !== 'drop' && deny !== 'reject') throw new LabError('usage', '--deny is drop or reject');
  if (established !== 'keep' && established !== 'strict')
    throw new LabError('usage', '--established is keep or strict');
  if (carry !== 'kernel' && carry !== 'relay') throw new LabError('usage', '--carry is kernel or relay');
  const name = CNI_NAMES.find((each) => each === cni);
  if (!name) throw new LabError('usage', `--cni is one of ${CNI_NAMES.join(', ')}`);
  return { deny, established, carry, cni: name };
}

/** The ports of `--ports A,B` or `--ports A B`, and the options of these names. */
async function withPorts(
  args: readonly string[],
  names: readonly string[],
): Promise<{ readonly ports: readonly PortSpec[]; readonly values: Values }> {
  const { values, positionals } = parsed(args, [...names, 'ports'], true);
  const texts = [values.ports ?? '', ...positionals].flatMap((text) => text.split(','));
  return { values, ports: await portSpecs(texts.filter((text) => text !== '')) };
}

async function portSpecs(texts: readonly string[]): Promise<PortSpec[]> {
  const { parsePortSpec } = await import('../model/question.ts');
  return texts.map((text) => {
    const spec = parsePortSpec(text);
    if (!spec) throw new LabError('usage', `"${text}" is no port: write for example 80/TCP`);
    return spec;
  });
}

function valuesOf(args: readonly string[], names: readonly string[]): Values {
  return parsed(args, names, false).values;
}

function parsed(
  args: readonly string[],
  names: readonly string[],
  allowPositionals: boolean,
): { values: Values; positionals: readonly string[] } {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals });
    return { values, positionals };
  } catch (cause) {
    throw new LabError('usage', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function required(values: Values, name: string): string {
  const value = values[name];
  if (value === undefined) throw new LabError('usage', `--${name} is missing`);
  return value;
}

function say(line: string): void {
  process.stderr.write(`netpol-lab: ${line}\n`);
}

function onStop(stop: () => Promise<void>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      stop().then(() => process.exit(0), fail);
    });
  }
}

function fail(error: unknown): void {
  if (error instanceof LabError) {
    say(`error: ${error.message}`);
    process.exit(error.code === 'usage' ? 2 : 3);
  }
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(EXIT_BUG);
}
