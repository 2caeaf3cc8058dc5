import { workloadKind } from '../lab/netns/workload-kind.ts';
import { declaredPorts, type Pod } from '../model/pod.ts';
import type { PortSpec } from '../model/question.ts';
import { parsePort } from '../net/port.ts';

/** The ports that something listens on, as far as manifests tell: those that are declared, and those of well-known images. */
export function servedPorts(pod: Pod): PortSpec[] {
  const usual = pod.containers.flatMap((container) => {
    const runs = container.role === 'init' ? undefined : workloadKind(container, () => false);
    if (runs?.kind === 'gateway') return [{ protocol: 'TCP' as const, port: runs.port }];
    return runs?.kind === 'servers' ? runs.ports : [];
  });
  const all = [...declaredPorts(pod), ...usual].flatMap(({ protocol, port }): PortSpec[] => {
    const number = parsePort(port);
    return number === undefined ? [] : [{ protocol, port: number }];
  });
  return [...new Map(all.map((spec) => [portText(spec), spec])).values()];
}

/** `80/TCP`. */
export function portText({ protocol, port }: PortSpec): string {
  return `${port}/${protocol}`;
}
