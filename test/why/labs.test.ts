import { applyPatch, parsePatch } from 'diff';
import { expect, test } from 'vitest';
import { servedPorts } from '../../src/expect/served-ports.ts';
import type { FlowEvent } from '../../src/flows/flow-event.ts';
import { shippedLabs } from '../../src/lab/shipped.ts';
import { parseManifests, type ManifestFile } from '../../src/manifest/manifest.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { podsOf } from '../../src/model/endpoint.ts';
import { isEndpoint, podKey } from '../../src/model/pod.ts';
import { policyContent } from '../../src/model/policy.ts';
import type { Connection } from '../../src/model/verdict.ts';
import { sameIp } from '../../src/net/ip.ts';
import { evaluate } from '../../src/reference/evaluate.ts';
import { verdictReport } from '../../src/report/verdict-report.ts';
import { patchOf } from '../../src/why/patch.ts';
import { ownManifest } from '../../src/why/policy-manifest.ts';
import { denyingPolicies, tellStory } from '../../src/why/story.ts';
import { ip } from '../builders/address.ts';
import { given } from '../builders/given.ts';
import { clientsOf, clusterOf, labStates, type LabState } from './lab-states.ts';

const TIMEOUT = { timeout: 60_000 }; // of a big lab on a busy machine
const labs = await shippedLabs();

/** How many different denials there are, of all labs. */
let denials = 0;

test.each(labs)(
  'each denial in $name is explained to the line, and its patch lets it through',
  TIMEOUT,
  async ({ folder }) => {
    const seen = new Set<string>();
    for (const state of await labStates(folder)) {
      const cluster = clusterOf(state);
      for (const connection of connectionsIn(state, cluster)) {
        const verdict = evaluate(cluster, connection);
        const policies = denyingPolicies(verdict);
        const kind = JSON.stringify([
          ends(connection),
          connection.transport,
          connection.port,
          policies.map(policyContent),
        ]);
        if (verdict.allowed || seen.has(kind)) continue;
        seen.add(kind);
        explainAndMend(state, cluster, connection);
      }
    }
    denials += seen.size;
  },
);

test('labs deny', () => {
  expect(denials).toBeGreaterThan(3 * labs.length);
});

function explainAndMend(state: LabState, cluster: Cluster, connection: Connection): void {
  const where = `step ${state.step}, ${ends(connection)} ${connection.port}/${connection.transport}`;
  const verdict = evaluate(cluster, connection);
  const manifests = denyingPolicies(verdict).map((policy) =>
    given(ownManifest(fileOf(state, policy.source.file), policy), `the manifest of ${podKey(policy)}`),
  );
  const flow = flowOf(connection, verdictReport(verdict));
  const { policies, remedy } = tellStory({
    flow,
    cluster,
    connection,
    manifests,
    report: undefined,
    enforced: (one) => one,
  });
  expect(policies.length, where).toBeGreaterThan(0);
  for (const { file, lines } of policies) {
    const text = fileOf(state, given(file ?? undefined, 'a file')).text.split('\n');
    const decisive = lines.filter(({ remarks }) => remarks.length > 0);
    expect(decisive.length, where).toBeGreaterThan(0);
    for (const { number, text: quoted } of decisive) expect(text[number - 1], where).toBe(quoted);
  }
  const patch = patchOf(given(remedy, `a remedy in ${where}`).changes);
  const after = clusterOf(state, policiesIn(patched(state.files, patch), state));
  expect(evaluate(after, connection).allowed, `${where}\n${patch.text}`).toBe(true);
}

/** From whom the lab lets connect to every pod and host outside, on the ports that are served there. */
function connectionsIn({ lab }: LabState, cluster: Cluster): Connection[] {
  const hosts = lab.external.map(({ addresses, ports }) => ({ addresses: addresses.map(ip), ports }));
  const pods = cluster.pods.filter(isEndpoint).map((pod) => ({ addresses: pod.addresses, ports: servedPorts(pod) }));
  const sources = clientsOf(lab).flatMap((client) => {
    if (client.kind === 'address') return [client.address];
    return podsOf(cluster, client).flatMap((pod) => (isEndpoint(pod) ? pod.addresses.slice(0, 1) : []));
  });
  return sources.flatMap((source) =>
    [...pods, ...hosts].flatMap(({ addresses, ports }) => {
      const destination = addresses.find(({ family }) => family === source.family);
      if (!destination || sameIp(source, destination)) return [];
      return ports.map(({ protocol, port }): Connection => ({ source, destination, transport: protocol, port }));
    }),
  );
}

function ends({ source, destination }: Connection): string {
  return `${source.text} -> ${destination.text}`;
}

function flowOf(
  { source, destination, transport, port }: Connection,
  report: ReturnType<typeof verdictReport>,
): FlowEvent {
  const party = (address: string) => ({ name: '', address });
  const [from, to] = [party(source.text), party(destination.text)];
  return { time: '2026-01-02T03:04:05.678Z', from, to, protocol: transport, sourcePort: 4000, port, ...report };
}

function fileOf({ files }: LabState, path: string): ManifestFile {
  return given(
    files.find((file) => file.path === path),
    `the file ${path}`,
  );
}

/** The files that the patch changes or makes, as they are then. */
function patched(files: readonly ManifestFile[], { format, text }: ReturnType<typeof patchOf>): ManifestFile[] {
  if (format === 'manifest') return [{ path: 'new.yaml', text }];
  return parsePatch(text).map((patch) => {
    const path = given(patch.newFileName, 'a name');
    const before =
      patch.oldFileName === '/dev/null'
        ? ''
        : given(
            files.find((file) => file.path === path),
            path,
          ).text;
    const after = applyPatch(before, patch);
    if (after === false) throw new Error(`the patch does not fit ${path}:\n${text}`);
    return { path, text: after };
  });
}

/** The policies of the files that the lab has at this moment, or never had. */
function policiesIn(files: readonly ManifestFile[], { objects, files: known }: LabState) {
  const own = new Set(objects.map((object) => `${object.kind} ${podKey(object)}`));
  const ever = new Set(parseManifests(known).objects.map((object) => `${object.kind} ${podKey(object)}`));
  return parseManifests(files).objects.filter((object) => {
    const key = `${object.kind} ${podKey(object)}`;
    return object.kind === 'NetworkPolicy' && (own.has(key) || !ever.has(key));
  });
}
