import { checkLabels } from './check-metadata.ts';
import { checkIp, checkPortReference, checkProtocol } from './check-pod.ts';
import type { FieldPath } from './field-path.ts';
import { duplicate, goList, invalid, invalids, notSupported, required, type Finding } from './finding.ts';
import { dnsLabelErrors, dnsSubdomainErrors, portNumberErrors } from './name-rules.ts';
import type { ServiceManifest, ServiceSpec } from './service-schema.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const FAMILIES = ['IPv4', 'IPv6'];
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];

/** What is wrong with a Service. Source: ValidateService, kubernetes. */
export function checkService({ spec = {} }: ServiceManifest): Finding[] {
  const { type = '', selector = {}, ports = [], externalName = '' } = spec;
  const external = type === 'ExternalName';
  const needsPorts = !external && spec.clusterIP !== 'None' && ports.length === 0;
  return [
    ...(type === '' || TYPES.includes(type) ? [] : [notSupported(['spec', 'type'], type, TYPES)]),
    ...checkLabels(selector, ['spec', 'selector']),
    ...(needsPorts ? [required(['spec', 'ports'])] : []),
    ...checkPorts(ports),
    ...checkClusterIps(spec),
    ...checkFamilies(spec),
    ...(external ? checkExternalName(externalName) : checkFirstAddress(spec)),
  ];
}

function checkClusterIps({ clusterIP = '', clusterIPs = [] }: ServiceSpec): Finding[] {
  const check = (text: string, path: FieldPath): Finding[] => (text === 'None' ? [] : checkIp(text, path));
  return [
    ...check(clusterIP, ['spec', 'clusterIP']),
    ...clusterIPs.flatMap((text, index) => check(text, ['spec', 'clusterIPs', index])),
  ];
}

function checkFamilies({ ipFamilies = [], ipFamilyPolicy = '' }: ServiceSpec): Finding[] {
  const isKnown = ipFamilyPolicy === '' || FAMILY_POLICIES.includes(ipFamilyPolicy);
  return [
    ...ipFamilies.flatMap((family, index) => {
      const path = ['spec', 'ipFamilies', index];
      return [
        ...(FAMILIES.includes(family) ? [] : [notSupported(path, family, FAMILIES)]),
        ...(ipFamilies.indexOf(family) < index ? [duplicate(path, family)] : []),
      ];
    }),
    ...(isKnown ? [] : [notSupported(['spec', 'ipFamilyPolicy'], ipFamilyPolicy, FAMILY_POLICIES)]),
  ];
}

/** `clusterIP` and `clusterIPs` are two ways to say one thing; the API server fills in the latter. */
function checkFirstAddress({ clusterIP = '', clusterIPs = [] }: ServiceSpec): Finding[] {
  const [first = clusterIP] = clusterIPs;
  if (first === clusterIP) return [];
  const rule =
    clusterIP === '' ? 'must be empty when `clusterIP` is not specified' : 'first value must match `clusterIP`';
  return [invalid(['spec', 'clusterIPs'], goList('string', clusterIPs), rule)];
}

function checkPorts(ports: NonNullable<ServiceSpec['ports']>): Finding[] {
  const names = new Set<string>();
  const numbers = new Set<string>();
  return ports.flatMap(({ name = '', port = 0, protocol, targetPort }, index) => {
    const path = ['spec', 'ports', index];
    const number = `${port}/${protocol ?? 'TCP'}`;
    const findings = [
      ...checkName(name, { taken: names, needed: ports.length > 1 }, [...path, 'name']),
      ...invalids([...path, 'port'], port, portNumberErrors(port)),
      ...checkProtocol(protocol, [...path, 'protocol']),
      ...(targetPort === undefined || targetPort === 0 || targetPort === ''
        ? []
        : checkPortReference(targetPort, [...path, 'targetPort'])),
      ...(numbers.has(number) ? [duplicate(path, { port, protocol: protocol ?? 'TCP' })] : []),
    ];
    numbers.add(number);
    return findings;
  });
}

function checkName(
  name: string,
  { taken, needed }: { taken: Set<string>; needed: boolean },
  path: FieldPath,
): Finding[] {
  if (name === '') return needed ? [required(path)] : [];
  if (taken.has(name)) return [duplicate(path, name)];
  taken.add(name);
  return invalids(path, name, dnsLabelErrors(name));
}

function checkExternalName(name: string): Finding[] {
  const path = ['spec', 'externalName'];
  return name === '' ? [required(path)] : invalids(path, name, dnsSubdomainErrors(name.replace(/\.$/, '')));
}
