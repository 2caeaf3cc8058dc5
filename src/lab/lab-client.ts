import { CNI_PROFILES, type CniName } from '../cni/profile.ts';
import type { FlowEvent } from '../flows/flow-event.ts';
import type { Issue } from '../manifest/issue.ts';
import type { JsonObject } from '../manifest/json.ts';
import type { ManifestFile } from '../manifest/manifest.ts';
import type { Protocol } from '../net/port.ts';
import type { Explanation } from '../report/explanation.ts';

/** How a lab enforces: as which CNI, how a denial looks, and what becomes of established connections (SEMANTICS 12, 20 and 21); and who carries what is allowed. */
export interface LabOptions {
  readonly deny: 'drop' | 'reject';
  readonly established: 'keep' | 'strict';
  /** The kernel, or a relay in the pod's proxy, which knows each connection's bytes and can end it; `auto`: as the backend does it. */
  readonly carry: 'auto' | 'kernel' | 'relay';
  readonly cni: CniName;
}

/** What a lab does unless it is told otherwise. */
export const DEFAULT_OPTIONS: LabOptions = { deny: 'drop', established: 'keep', carry: 'auto', cni: 'reference' };

/** The options of a lab in which these are given; what becomes of established connections is as the CNI does it unless given. */
export function labOptions({
  established,
  ...given
}: Partial<Omit<LabOptions, 'established'>> & {
  readonly established?: LabOptions['established'] | undefined;
}): LabOptions {
  const options = { ...DEFAULT_OPTIONS, ...given };
  return { ...options, established: established ?? CNI_PROFILES[options.cni].established };
}

/** A host outside the cluster: a namespace of its own beyond the node, with a server on each port. */
export interface ExternalHost {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly ports: readonly { readonly protocol: Protocol; readonly port: number }[];
}

/** What a lab is started from. */
export interface LabSpec {
  readonly name: string;
  readonly files: readonly ManifestFile[];
  readonly external: readonly ExternalHost[];
  readonly options: LabOptions;
}

/** The lab with what a backend does where its options leave it to that. */
export function carriedBy(spec: LabSpec, usual: 'kernel' | 'relay'): LabSpec {
  const { options } = spec;
  return options.carry === 'auto' ? { ...spec, options: { ...options, carry: usual } } : spec;
}

/** A pod as a running lab has it. `reason` is Kubernetes' word for why it is not ready, `message` says it; both may be empty. */
export interface PodStatus {
  readonly namespace: string;
  readonly name: string;
  readonly owner: { readonly kind: string; readonly name: string };
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly ready: boolean;
  readonly restarts: number;
  readonly reason: string;
  readonly message: string;
  /** Numbers of its containers that are ready and of all. */
  readonly containers: { readonly ready: number; readonly total: number };
  /** ISO 8601. */
  readonly startedAt: string;
}

/** A running lab. `pid` is its process as this machine counts. */
export interface LabStatus {
  readonly name: string;
  readonly pid: number;
  readonly rootless: boolean;
  /** Whether it goes on with the objects of a lab of its name that was killed, instead of its manifests. */
  readonly resumed: boolean;
  readonly startedAt: string;
  readonly options: LabOptions;
  /** Where it serves the Kubernetes API, and the file that lets kubectl in. */
  readonly api: { readonly server: string; readonly kubeconfig: string };
  readonly pods: readonly PodStatus[];
  readonly external: readonly ExternalHost[];
  readonly policies: number;
  /** How many more are staged: looked at, and not enforced. */
  readonly staged: number;
  /** Of its manifests, and of what runs in its pods otherwise than they say. */
  readonly warnings: readonly string[];
}

/** An object of a lab, as `get -o json` prints it: as the API has it, but for the record of who wrote what. */
export interface LabObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: JsonObject & { readonly name: string };
}

/** What became of each object of an apply or a delete. */
export interface ChangeResult {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly action: 'created' | 'configured' | 'unchanged' | 'deleted' | 'labeled' | 'staged';
}

/** The answer to a change. With `issues` nothing was changed. `enforcedMs` is the time from request to enforcement. */
export interface ChangeReport {
  readonly results: readonly ChangeResult[];
  readonly issues: readonly Issue[];
  readonly warnings: readonly string[];
  readonly enforcedMs: number;
}

/** A connection to ask about: endpoints as the command line writes them. */
export interface LabQuestion {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number;
}

/** A connection to try: endpoints as the command line writes them. */
export interface ProbeRequest {
  readonly from: string;
  readonly to: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly timeoutMs: number;
}

/**
 * What a real connection attempt met. `connected`: established (TCP) or answered (UDP).
 * `refused`: the far side refused, so the network let it through. `timeout`: nothing came back.
 * `rejected`: the gate refused it (`--deny reject`). `unreachable`: no route, or no such address.
 */
export interface ProbeResult {
  readonly outcome: 'connected' | 'refused' | 'timeout' | 'rejected' | 'unreachable';
  /** Whether the network let it through: connected or refused. */
  readonly allowed: boolean;
  readonly ms: number;
}

/** Where a command in a pod has to go: arguments for the programs that enter its namespaces. */
export interface ExecTarget {
  readonly namespace: string;
  readonly pod: string;
  /** Program and arguments to put before the command. */
  readonly enter: readonly string[];
  /** What goes there on a terminal, if that is something else. */
  readonly enterOnTerminal?: readonly string[];
  /**
   * If the command is no process of this machine: program and arguments that signal it, with the signal's name put
   * behind them.
   */
  readonly signal?: readonly string[];
}

/** A mistake of the user's that the lab found: unknown pod, bad endpoint. `message` says what to do. */
export interface LabProblem {
  readonly code: string;
  readonly message: string;
}

/** A running lab, as the command line and the runner see it. Every method throws LabError on a LabProblem or a dead lab. */
export interface LabClient {
  status(): Promise<LabStatus>;
  apply(files: readonly ManifestFile[]): Promise<ChangeReport>;
  /** Stages policies, until they are applied or deleted: they are not enforced, flows tell what they would change. */
  stage(files: readonly ManifestFile[]): Promise<ChangeReport>;
  delete(
    target: { files: readonly ManifestFile[] } | { kind: string; namespace: string; name: string },
  ): Promise<ChangeReport>;
  /** A null value removes the label. `kind` is pod or namespace. */
  label(change: {
    kind: string;
    namespace: string;
    name: string;
    labels: Readonly<Record<string, string | null>>;
    overwrite: boolean;
  }): Promise<ChangeReport>;
  /** Objects of one kind (`Pod`, `NetworkPolicy`, `Service`, `Namespace`, `Deployment` …), sorted by namespace and name. */
  objects(kind: string): Promise<readonly LabObject[]>;
  /** Flow events so far; with `follow` those to come too, until `signal` aborts. */
  flows(options: { follow: boolean; signal?: AbortSignal }): AsyncIterable<FlowEvent>;
  explain(question: LabQuestion): Promise<Explanation>;
  /**
   * Verdicts without reasons, many at once, in the order of the questions. `deny` also where both ends
   * exist and no connection between them is possible.
   */
  predict(questions: readonly LabQuestion[]): Promise<readonly ('allow' | 'deny')[]>;
  /** Tries connections, many at once. Results in the order of the requests. */
  probe(requests: readonly ProbeRequest[]): Promise<readonly ProbeResult[]>;
  /** `pod` is a pod's name or KIND/NAME. */
  execTarget(pod: { namespace: string; pod: string }): Promise<ExecTarget>;
  /** Ends the lab and waits until nothing of it is left. */
  stop(): Promise<void>;
}
