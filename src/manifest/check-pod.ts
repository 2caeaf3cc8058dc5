import { parseIp } from '../net/ip.ts';
import { PROTOCOLS } from '../net/port.ts';
import { checkMarks } from './check-metadata.ts';
import type { FieldPath } from './field-path.ts';
import { duplicate, invalid, invalids, notSupported, required, type Finding } from './finding.ts';
import { dnsLabelErrors, dnsSubdomainErrors, portNameErrors, portNumberErrors } from './name-rules.ts';
import type { ContainerManifest, PodManifest, PodSpec, PodTemplate, ProbeManifest } from './pod-schema.ts';

const IP_RULE = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'];
const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'];
// The order in which the API server lists them for pods and Services.
const SORTED_PROTOCOLS = [...PROTOCOLS].sort();

/** What is wrong with a pod's spec and with the status that stands for a running one. Source: ValidatePod, kubernetes. */
export function checkPod({ spec, status = {} }: PodManifest): Finding[] {
  const { phase, podIP = '', podIPs = [], hostIP = '', hostIPs = [] } = status;
  const phaseKnown = phase === undefined || phase === '' || PHASES.includes(phase);
  return [
    ...checkPodSpec(spec ?? {}, ['spec']),
    ...(phaseKnown ? [] : [notSupported(['status', 'phase'], phase, PHASES)]),
    ...checkIp(podIP, ['status', 'podIP']),
    ...podIPs.flatMap(({ ip = '' }, index) => checkIp(ip, ['status', 'podIPs', index, 'ip'])),
    ...checkIp(hostIP, ['status', 'hostIP']),
    ...hostIPs.flatMap(({ ip = '' }, index) => checkIp(ip, ['status', 'hostIPs', index, 'ip'])),
  ];
}

/** What is wrong with the template of a workload's pods. */
export function checkTemplate(template: PodTemplate, path: FieldPath): Finding[] {
  return [
    ...checkMarks(template.metadata ?? {}, [...path, 'metadata']),
    ...checkPodSpec(template.spec ?? {}, [...path, 'spec']),
  ];
}

/** An address that may be left out. */
export function checkIp(text: string, path: FieldPath): Finding[] {
  return text === '' || parseIp(text) ? [] : [invalid(path, text, IP_RULE)];
}

/** A protocol that may be left out: it is TCP then. */
export function checkProtocol(protocol: string | undefined, path: FieldPath): Finding[] {
  const known = protocol === undefined || protocol === '' || PROTOCOLS.some((one) => one === protocol);
  return known ? [] : [notSupported(path, protocol, SORTED_PROTOCOLS)];
}

/** A port by number or name. */
export function checkPortReference(port: number | string, path: FieldPath): Finding[] {
  return invalids(path, port, typeof port === 'number' ? portNumberErrors(port) : portNameErrors(port));
}

function checkPodSpec(spec: PodSpec, path: FieldPath): Finding[] {
  const {
    containers = [],
    initContainers = [],
    restartPolicy = '',
    hostname = '',
    subdomain = '',
    hostAliases = [],
  } = spec;
  const names = new Set<string>();
  const checkAll = (list: readonly ContainerManifest[], field: string): Finding[] =>
    list.flatMap((container, index) => {
      const at = [...path, field, index];
      return [...checkContainerName(container, names, at), ...checkContainer(container, at)];
    });
  return [
    ...(containers.length === 0 ? [required([...path, 'containers'])] : []),
    ...checkAll(containers, 'containers'),
    ...checkAll(initContainers, 'initContainers'),
    ...(restartPolicy === '' || RESTART_POLICIES.includes(restartPolicy)
      ? []
      : [notSupported([...path, 'restartPolicy'], restartPolicy, RESTART_POLICIES)]),
    ...(hostname === '' ? [] : invalids([...path, 'hostname'], hostname, dnsLabelErrors(hostname))),
    ...(subdomain === '' ? [] : invalids([...path, 'subdomain'], subdomain, dnsLabelErrors(subdomain))),
    ...checkDns(spec, path),
    ...hostAliases.flatMap((alias, index) => checkHostAlias(alias, [...path, 'hostAliases', index])),
  ];
}

function checkDns({ dnsPolicy = '', dnsConfig }: PodSpec, path: FieldPath): Finding[] {
  const at = [...path, 'dnsConfig'];
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {};
  if (dnsPolicy === 'None' && !dnsConfig) return [required(at, 'must provide `dnsConfig` when `dnsPolicy` is None')];
  return [
    ...(dnsPolicy === '' || DNS_POLICIES.includes(dnsPolicy)
      ? []
      : [notSupported([...path, 'dnsPolicy'], dnsPolicy, DNS_POLICIES)]),
    ...(dnsPolicy === 'None' && nameservers.length === 0
      ? [required([...at, 'nameservers'], 'must provide at least one DNS nameserver when `dnsPolicy` is None')]
      : []),
    ...nameservers.flatMap((text, index) =>
      parseIp(text) ? [] : [invalid([...at, 'nameservers', index], text, IP_RULE)],
    ),
    ...searches.flatMap((text, index) => {
      const name = text.replace(/\.$/, '');
      return invalids([...at, 'searches', index], name, dnsSubdomainErrors(name));
    }),
    ...options.flatMap(({ name = '' }, index) =>
      name === '' ? [required([...at, 'options', index], 'must not be empty')] : [],
    ),
  ];
}

function checkHostAlias(
  { ip = '', hostnames = [] }: NonNullable<PodSpec['hostAliases']>[number],
  path: FieldPath,
): Finding[] {
  return [
    ...(parseIp(ip) ? [] : [invalid([...path, 'ip'], ip, IP_RULE)]),
    ...hostnames.flatMap((name, index) => invalids([...path, 'hostnames', index], name, dnsSubdomainErrors(name))),
  ];
}

function checkContainerName({ name = '' }: ContainerManifest, taken: Set<string>, path: FieldPath): Finding[] {
  const at = [...path, 'name'];
  if (name === '') return [required(at)];
  if (taken.has(name)) return [duplicate(at, name)];
  taken.add(name);
  return invalids(at, name, dnsLabelErrors(name));
}

function checkContainer(container: ContainerManifest, path: FieldPath): Finding[] {
  const { image = '', ports = [], env = [], readinessProbe } = container;
  const names = new Set<string>();
  return [
    ...(image === '' ? [required([...path, 'image'])] : []),
    ...ports.flatMap((port, index) => checkContainerPort(port, names, [...path, 'ports', index])),
    ...env.flatMap(({ name = '' }, index) => (name === '' ? [required([...path, 'env', index, 'name'])] : [])),
    ...(readinessProbe ? checkProbe(readinessProbe, [...path, 'readinessProbe']) : []),
  ];
}

function checkContainerPort(
  { name = '', containerPort = 0, protocol }: NonNullable<ContainerManifest['ports']>[number],
  taken: Set<string>,
  path: FieldPath,
): Finding[] {
  const numberPath = [...path, 'containerPort'];
  return [
    ...checkPortName(name, taken, [...path, 'name']),
    ...(containerPort === 0
      ? [required(numberPath)]
      : invalids(numberPath, containerPort, portNumberErrors(containerPort))),
    ...checkProtocol(protocol, [...path, 'protocol']),
  ];
}

function checkPortName(name: string, taken: Set<string>, path: FieldPath): Finding[] {
  if (name === '') return [];
  const findings = invalids(path, name, portNameErrors(name));
  if (findings.length > 0) return findings;
  if (taken.has(name)) return [duplicate(path, name)];
  taken.add(name);
  return [];
}

function checkProbe({ httpGet, tcpSocket }: ProbeManifest, path: FieldPath): Finding[] {
  return [
    ...(httpGet ? checkPortReference(httpGet.port ?? 0, [...path, 'httpGet', 'port']) : []),
    ...(tcpSocket ? checkPortReference(tcpSocket.port ?? 0, [...path, 'tcpSocket', 'port']) : []),
  ];
}
