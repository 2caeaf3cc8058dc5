import { readFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { Enforcer } from '../cni/enforcer.ts';
import type { FlowEvent, VerdictReport } from '../flows/flow-event.ts';
import type { ControlClient } from '../lab/control-client.ts';
import type { Cluster } from '../model/cluster.ts';
import { parseEndpoint, podsOf, type Endpoint } from '../model/endpoint.ts';
import { invariant } from '../model/invariant.ts';
import { LabError } from '../model/lab-error.ts';
import { suggestion } from '../model/nearest-name.ts';
import { podKey, workloadName } from '../model/pod.ts';
import type { NetworkPolicy } from '../model/policy.ts';
import { endpointProblem } from '../model/question.ts';
import type { Connection } from '../model/verdict.ts';
import { verdictIn } from '../table/cluster-verdict.ts';
import { ownManifest, policyIn, type PolicyManifest } from '../why/policy-manifest.ts';
import { connectionNow, denyingPolicies, lastDenial, tellStory, type Story } from '../why/story.ts';
import { placeOf } from './exec.ts';
import { labCluster } from './lab-objects.ts';

/** Whose denials are asked for: a pod, a workload or an address as the user wrote it; undefined for all. */
export interface Whose {
  readonly pod: string | undefined;
  readonly namespace: string | undefined;
}

/** What there is to tell. `none`: nothing was denied. `gone`: a pod of the last denied connection is no more. */
export type Told =
  | { readonly kind: 'story'; readonly story: Story; readonly cluster: Cluster }
  | { readonly kind: 'none'; readonly message: string }
  | { readonly kind: 'gone'; readonly flow: FlowEvent; readonly pod: string };

/** The story of a lab's last denied connection. @throws LabError usage for a pod that there is not. */
export async function lastStory(client: ControlClient, whose: Whose): Promise<Told> {
  const flows: FlowEvent[] = [];
  for await (const flow of client.flows({ follow: false })) flows.push(flow);
  const cluster = await labCluster(client);
  const meant = meantBy(whose);
  const flow = lastDenial(flows, meant ? partyOf(cluster, meant) : () => true);
  if (!flow) {
    if (meant) requireEnd(cluster, meant, client.name);
    return { kind: 'none', message: noDenial(flows.length, meant?.text ?? '', client.name) };
  }
  const connection = connectionNow(cluster, flow);
  if ('gone' in connection) return { kind: 'gone', flow, pod: connection.gone };
  const enforcer = new Enforcer((await client.status()).options.cni);
  const enforced = (given: Cluster): Cluster => enforcer.enforced(given);
  const denying = new Set(denyingPolicies(verdictIn(enforced(cluster), connection)).map(podKey));
  const policies = cluster.policies.filter((policy) => denying.has(podKey(policy))); // as they are written
  const report = await reportNow(client, connection);
  const files = new Map([...filesIn(flow), ...filesIn(report)]);
  const manifests = await manifestsOf(client, policies, files);
  return { kind: 'story', cluster, story: tellStory({ flow, cluster, connection, manifests, report, enforced }) };
}

interface Meant {
  readonly text: string;
  readonly endpoint: Endpoint;
}

function meantBy({ pod, namespace }: Whose): Meant | undefined {
  if (pod === undefined) return undefined;
  const own = parseEndpoint(pod);
  if (own?.kind === 'address') return { text: pod, endpoint: own };
  const place = placeOf(pod, namespace);
  const text = `${place.namespace}/${place.pod}`;
  const endpoint = parseEndpoint(text);
  if (!endpoint) throw new LabError('usage', endpointProblem(pod));
  return { text, endpoint };
}

/** Whether a flow's end is meant. Pods that are gone are known by their names. */
function partyOf(cluster: Cluster, { text, endpoint }: Meant): (party: FlowEvent['from']) => boolean {
  const names = new Set(podsOf(cluster, endpoint).map(podKey));
  return ({ name, address }) =>
    endpoint.kind === 'address' ? address === endpoint.address.text : name === text || names.has(name);
}

function requireEnd(cluster: Cluster, { text, endpoint }: Meant, lab: string): void {
  if (endpoint.kind === 'address' || podsOf(cluster, endpoint).length > 0) return;
  const names = [...new Set(cluster.pods.flatMap((pod) => [podKey(pod), workloadName(pod)]))];
  throw new LabError('usage', `no pod ${text} in lab ${lab}${suggestion(text, names)}`);
}

function noDenial(flows: number, whose: string, lab: string): string {
  const of = whose === '' ? '' : ` of ${whose}`;
  const seen = flows === 0 ? 'it has seen none yet' : 'see those that passed by "netpol-lab flows"';
  return `no connection${of} has been denied in lab ${lab}; ${seen}`;
}

/** The manifests of policies: in the user's files, if they are there and unchanged, or as the lab has them. */
async function manifestsOf(
  client: ControlClient,
  policies: readonly NetworkPolicy[],
  files: ReadonlyMap<string, string>,
): Promise<PolicyManifest[]> {
  if (policies.length === 0) return [];
  const objects = await client.objects('NetworkPolicy');
  return Promise.all(
    policies.map(async (policy) => {
      const path = files.get(podKey(policy));
      const text = path === undefined ? undefined : await readFile(path, 'utf8').catch(() => undefined);
      const own = path === undefined || text === undefined ? undefined : ownManifest({ path, text }, policy);
      if (own) return own;
      const object = objects.find(
        ({ metadata }) => metadata.name === policy.name && metadata.namespace === policy.namespace,
      );
      invariant(object, `${podKey(policy)} is an object of the lab`);
      const { apiVersion, kind, spec = {} } = object;
      const metadata = { name: policy.name, namespace: policy.namespace };
      const stored = { path: podKey(policy), text: stringify({ apiVersion, kind, metadata, spec }, { lineWidth: 0 }) };
      const manifest = policyIn(stored, policy);
      invariant(manifest, `${podKey(policy)} is valid`);
      return { ...manifest, isOwn: false };
    }),
  );
}

/** The report of the policies that there are now: others may deny it than did. The lab explains no ICMP. */
async function reportNow(
  client: ControlClient,
  { source, destination, transport, port }: Connection,
): Promise<VerdictReport | undefined> {
  if (transport === 'ICMP') return undefined;
  return client.explain({ from: source.text, to: destination.text, protocol: transport, port });
}

function filesIn(report: VerdictReport | undefined): [string, string][] {
  const policies = report ? [...report.egress.policies, ...report.ingress.policies] : [];
  return policies.map((policy) => [podKey(policy), policy.file]);
}
