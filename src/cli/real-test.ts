import { randomBytes } from 'node:crypto';
import type { CniName } from '../cni/profile.ts';
import { judgeProbes, type ProbedPair } from '../expect/judge-probes.ts';
import type { Expectation } from '../expect/expectation-file.ts';
import type { Result } from '../expect/judge.ts';
import { pairsOf, type ExpectedPair } from '../expect/pairs.ts';
import {
  labOptions,
  type ExternalHost,
  type LabClient,
  type LabSpec,
  type ProbeRequest,
  type ProbeResult,
} from '../lab/lab-client.ts';
import type { ManifestFile } from '../manifest/manifest.ts';
import type { Cluster } from '../model/cluster.ts';
import { endpointText, podsBehind, serviceNamed } from '../model/endpoint.ts';
import { LabError } from '../model/lab-error.ts';
import { reasonText } from '../report/verdict-text.ts';
import { labCluster } from './lab-objects.ts';
import { LabSession } from './lab-session.ts';
import type { Terminal } from './terminal.ts';

const TIMEOUT_MS = 1000; // an answer within this machine takes a few

/** What expectations are tried on: manifests, the cluster that they make, and how its policies are enforced. */
export interface Subject {
  readonly files: readonly ManifestFile[];
  readonly cluster: Cluster;
  readonly cni: CniName;
}

/**
 * Tries expectations by real connections, in a lab that is started for it and gone afterwards: all of them under
 * the policies, then those that must be denied again without any policy.
 * @throws LabError usage if an expectation names what is not there, or SCTP.
 */
export async function testForReal(
  { files, cluster, cni }: Subject,
  expectations: readonly Expectation[],
  terminal: Terminal,
): Promise<Result[]> {
  const sctp = expectations.find(({ protocol }) => protocol === 'SCTP');
  if (sctp) throw new LabError('usage', `${sctp.file}:${sctp.line} SCTP cannot be tried for real: leave --real out`);
  const spec: LabSpec = {
    name: `test-${randomBytes(3).toString('hex')}`,
    files,
    external: hostsOf(plansOn(cluster, expectations)),
    options: labOptions({ cni }),
  };
  await using session = new LabSession();
  return await session.during(async () => {
    const { client } = await session.start(spec, (text) => {
      terminal.progress(text);
    });
    // The pods of workloads have names of their own in a lab.
    const plans = plansOn(await labCluster(client), expectations);
    const probed = await probeAll(client, plans, cluster.policies);
    return judgeProbes(expectations, probed);
  });
}

interface Plan {
  readonly expectation: Expectation;
  readonly pair: ExpectedPair;
  readonly requests: readonly ProbeRequest[];
}

function plansOn(cluster: Cluster, expectations: readonly Expectation[]): Plan[] {
  return expectations.flatMap((expectation) =>
    pairsOf(cluster, expectation).map((pair) => ({
      expectation,
      pair,
      requests: requestsOf(cluster, expectation, pair),
    })),
  );
}

async function probeAll(
  client: LabClient,
  plans: readonly Plan[],
  policies: Cluster['policies'],
): Promise<ProbedPair[]> {
  const under = await outcomesOf(client, plans);
  const unexpected = plans.flatMap(({ expectation, requests }) =>
    requests.filter((request) => !isAsExpected(expectation, under.get(request))),
  );
  const reasons = new Map(
    await Promise.all(unexpected.map(async (request) => [request, reasonText(await client.explain(request))] as const)),
  );
  for (const { namespace, name } of policies) await client.delete({ kind: 'NetworkPolicy', namespace, name });
  const without = await outcomesOf(
    client,
    plans.filter(({ expectation }) => expectation.verdict === 'deny'),
  );
  return plans.map(({ expectation, pair, requests }) => ({
    expectation,
    pair,
    attempts: requests.map((request) => ({
      outcome: under.get(request)?.outcome ?? 'unreachable',
      reason: reasons.get(request) ?? '',
      withoutPolicies: without.get(request)?.outcome ?? 'unreachable',
    })),
  }));
}

async function outcomesOf(
  client: LabClient,
  plans: readonly Plan[],
): Promise<Map<ProbeRequest, ProbeResult | undefined>> {
  const requests = plans.flatMap((plan) => plan.requests);
  const results = await client.probe(requests);
  return new Map(requests.map((request, index) => [request, results[index]]));
}

function isAsExpected({ verdict }: Expectation, result: ProbeResult | undefined): boolean {
  return result?.allowed === (verdict === 'allow');
}

/**
 * A connection by each family. One to a Service goes by its own address while a single pod is behind it, and else past
 * it, so that it is known which pod is reached.
 */
function requestsOf(
  cluster: Cluster,
  { protocol, port }: Expectation,
  { from, to, byFamily }: ExpectedPair,
): ProbeRequest[] {
  const service = to.kind === 'service' ? serviceNamed(cluster, to) : undefined;
  const isAlone = service?.kind.kind === 'clusterIP' && podsBehind(cluster, service).length === 1;
  return byFamily.map(({ connection: { source, destination, port: reached } }) => {
    const own = isAlone ? service.kind.addresses.find(({ family }) => family === source.family) : undefined;
    const target = own ? { to: own.text, port } : { to: destination.text, port: reached };
    return { from: endpointText(from), ...target, protocol, timeoutMs: TIMEOUT_MS };
  });
}

/** A host outside for each address that is no pod's and no Service's, which serves the ports that are asked of it. */
function hostsOf(plans: readonly Plan[]): ExternalHost[] {
  const addresses = new Map<string, { protocol: 'TCP' | 'UDP'; port: number }[]>();
  for (const { expectation, pair } of plans) {
    const { protocol, port } = expectation;
    for (const end of ['from', 'to'] as const) {
      const party = pair.byFamily[0][end];
      if (party.kind !== 'address') continue;
      const ports = addresses.get(party.address.text) ?? [];
      if (end === 'to' && protocol !== 'SCTP') ports.push({ protocol, port });
      addresses.set(party.address.text, ports);
    }
  }
  return [...addresses].map(([address, ports], index) => ({
    name: `outside-${index + 1}.example`,
    addresses: [address],
    ports: [...new Map(ports.map((port) => [`${port.port}/${port.protocol}`, port])).values()],
  }));
}
