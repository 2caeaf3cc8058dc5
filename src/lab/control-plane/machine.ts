import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';
import { VERSION } from '../../apiserver/discovery/discovery.ts';
import type { JsonObject } from '../../manifest/json.ts';
import { packageVersion } from '../version.ts';

const MAX_PODS = '110'; // a kubelet's default; labs may have more

/** What a node's status says of this machine. Memory is in KiB. Source: core/v1 NodeStatus. */
export function machineStatus(): JsonObject {
  const capacity = { cpu: String(cpus().length), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: MAX_PODS };
  return {
    capacity,
    allocatable: capacity,
    nodeInfo: {
      architecture: arch() === 'x64' ? 'amd64' : arch(), // as Go calls it
      containerRuntimeVersion: `netpol-lab://${packageVersion()}`,
      kernelVersion: release(),
      kubeletVersion: VERSION.gitVersion,
      operatingSystem: 'linux',
      osImage: prettyName(),
    },
  };
}

/** Source: os-release(5), also for what a machine is that does not say it. */
function prettyName(): string {
  try {
    return /^PRETTY_NAME=(["']?)(.+)\1$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[2] ?? 'Linux';
  } catch {
    return 'Linux';
  }
}
