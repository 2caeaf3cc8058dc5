import type { CarriedReport, DirectionReport } from '../flows/flow-event.ts';
import type { LabOptions, ProbeRequest } from '../lab/lab-client.ts';
import type { DialResult } from '../lab/netns/dialler.ts';
import type { Transport } from '../net/port.ts';
import type { FollowedName } from './followed.ts';
import type { Readiness } from './pod-readiness.ts';

// What proxies and the control plane tell each other: lines of JSON on a Unix socket, for as long as both live.

/** What a proxy judged: the first packet of a flow, from its own pod's side; or the flow's end. `timeMs` is since the epoch. */
export interface JudgedFlow {
  readonly timeMs: number;
  readonly source: string;
  readonly destination: string;
  readonly protocol: Transport;
  readonly sourcePort: number;
  readonly port: number;
  readonly side: 'egress' | 'ingress';
  readonly report: DirectionReport;
  /** Of an end alone. */
  readonly carried: CarriedReport | null;
}

/** How far a proxy has come: what it enforces is the cluster at these resource versions, or it passes nothing. */
export interface Enforced {
  readonly kind: 'enforced';
  readonly versions: Readonly<Record<FollowedName, string>>;
  /** Whether the pod is open; closed, it passes nothing. */
  readonly open: boolean;
  /** What it could not understand, a line each. */
  readonly complaints: readonly string[];
}

/** A connection to try from the pod's network. */
export interface ProbeOrder extends Pick<ProbeRequest, 'port' | 'timeoutMs'> {
  readonly kind: 'probe';
  readonly id: number;
  readonly address: string;
  readonly protocol: 'TCP' | 'UDP';
}

/** From a proxy. The first is `hello`. */
export type FromProxy =
  | {
      readonly kind: 'hello';
      /** Of a host outside the cluster only probes are asked. */
      readonly role: 'pod' | 'external';
      /** NAMESPACE/NAME of a pod, or the host's name. */
      readonly name: string;
      readonly addresses: readonly string[];
      /** ISO 8601. */
      readonly startedAt: string;
    }
  | Enforced
  | { readonly kind: 'readiness'; readonly containers: Readiness }
  | { readonly kind: 'flows'; readonly flows: readonly JudgedFlow[]; readonly dropped: number }
  | { readonly kind: 'probed'; readonly id: number; readonly result: DialResult };

/** What a proxy is to do. `external` are addresses of hosts outside the cluster that are on the pods' network. */
export interface Welcome {
  readonly kind: 'welcome';
  readonly options: LabOptions;
  readonly external: readonly string[];
}

/** To a proxy. The first is `welcome`. */
export type ToProxy = Welcome | ProbeOrder;

/** The socket in the lab's shared folder that proxies connect to. */
export const PROXY_SOCKET = 'proxy.sock';
/** The socket in the lab's shared folder that serves the Kubernetes API. */
export const API_SOCKET = 'api.sock';
/** The socket in the lab's shared folder that serves the lab's verbs. */
export const CONTROL_SOCKET = 'control.sock';
/** The file beside it that is there once the pods of the lab are ready. */
export const LAB_READY_FILE = 'ready';
