import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DEFAULT_OPTIONS,
  type LabClient,
  type LabSpec,
  type ProbeRequest,
  type ProbeResult,
} from '../../src/lab/lab-client.ts';
import { AddressPool } from '../../src/manifest/address-pool.ts';
import { buildCluster } from '../../src/manifest/build-cluster.ts';
import { parseManifests, type ManifestFile } from '../../src/manifest/manifest.ts';
import type { ManifestObject } from '../../src/manifest/manifest-object.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import type { Connection } from '../../src/model/verdict.ts';
import { evaluate } from '../../src/reference/evaluate.ts';
import { compile } from '../../src/table/compile.ts';
import { ip, portNumber } from '../builders/address.ts';
import { given } from '../builders/given.ts';
import type { PolicyCase, Step } from './policy-case.ts';
import { clusterManifests, FIRST_LABELS, OUTSIDE, POD_KEYS, PORTS, type LabelsOf } from './test-cluster.ts';

/** A lab that runs on the backend under test. */
export interface BackendLab extends AsyncDisposable {
  readonly client: Pick<LabClient, 'status' | 'apply' | 'delete' | 'label' | 'probe' | 'explain'>;
}

/** Starts a lab on the backend under test. */
export type Backend = (spec: LabSpec) => Promise<BackendLab>;

const TIMEOUT_MS = 1000; // a SYN is sent again after a second
const PATIENCE_MS = 5000; // for what must pass: on a busy machine a server, or a relay, may stand still for seconds
const BATCH = 250; // what one probe request tries at once; several requests run side by side

/** How many labs run side by side, and how long to wait for what is denied: 1 s is one packet of each attempt. */
export interface ConformanceOptions {
  readonly labs?: number;
  readonly timeoutMs?: number;
}

/** Through a relay a connection that is tried again is more than a packet: that of 1 s and that of 3 s are denied too. */
export const RELAYED_TIMEOUT_MS = 4000;

/**
 * Tries every case with real connections: pods and a host outside, each to each, on every port, over
 * IPv4 and IPv6. Cases wait for what is denied most of the time, so several labs run side by side.
 */
export function runConformance(
  name: string,
  backend: Backend,
  cases: readonly PolicyCase[],
  { labs = 4, timeoutMs = TIMEOUT_MS }: ConformanceOptions = {},
): void {
  describe(name, () => {
    const free: Setting[] = [];
    const waiting: ((setting: Setting) => void)[] = [];
    const giveBack = (setting: Setting): void => {
      const next = waiting.shift();
      if (next) next(setting);
      else free.push(setting);
    };
    const take = (): Promise<Setting> => {
      const setting = free.pop();
      return setting ? Promise.resolve(setting) : new Promise((resolve) => waiting.push(resolve));
    };
    beforeAll(async () => {
      const starting = Array.from({ length: labs }, (_, index) =>
        Setting.start(backend, `${name}-${index + 1}`, timeoutMs),
      );
      const started = await Promise.allSettled(starting);
      free.push(...started.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])));
      await Promise.all(starting); // throws what went wrong
    });
    afterAll(() => Promise.all(free.map((setting) => setting[Symbol.asyncDispose]())));

    const everywhere = (check: (setting: Setting) => Promise<void>): Promise<unknown> => Promise.all(free.map(check));

    test('before any policy, everything passes', () => everywhere((setting) => setting.expectNoDenial()));
    test.concurrent.each(cases)('$name', async (each) => {
      const setting = await take();
      try {
        await setting.runCase(each);
      } finally {
        giveBack(setting);
      }
    });
    test('with every policy gone, everything passes', () => everywhere((setting) => setting.expectNoDenial()));
  });
}

/** A lab on the backend, and what was told to it. */
class Setting implements AsyncDisposable {
  readonly #lab: BackendLab;
  readonly #addresses: ReadonlyMap<string, readonly string[]>;
  readonly #timeoutMs: number;
  readonly #policies = new Map<string, ManifestObject>();
  #labels: LabelsOf = FIRST_LABELS;

  private constructor(lab: BackendLab, addresses: ReadonlyMap<string, readonly string[]>, timeoutMs: number) {
    this.#lab = lab;
    this.#addresses = addresses;
    this.#timeoutMs = timeoutMs;
  }

  static async start(backend: Backend, name: string, timeoutMs: number): Promise<Setting> {
    const lab = await backend({
      name,
      files: [manifest(clusterManifests(FIRST_LABELS))],
      external: [OUTSIDE],
      options: DEFAULT_OPTIONS,
    });
    const { pods } = await lab.client.status();
    const addresses = new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod.addresses]));
    return new Setting(lab, addresses, timeoutMs);
  }

  async expectNoDenial(): Promise<void> {
    expect(await this.#compare()).toBe(0);
  }

  /** Takes the case's steps, tries all connections after each, and undoes them. */
  async runCase({ steps, deniesNothing = false }: PolicyCase): Promise<void> {
    let denials = 0;
    try {
      for (const step of steps) {
        await this.#take(step);
        denials += await this.#compare();
      }
    } finally {
      await this.#undo();
    }
    expect(denials > 0, `${denials} attempts were denied`).toBe(!deniesNothing);
  }

  /** Compares what really passes with what the reference and the table say. @returns how many attempts were denied. */
  async #compare(): Promise<number> {
    const cluster = this.#cluster();
    const table = compile(cluster);
    const attempts = this.#attempts();
    const wanted = attempts.map((attempt) => evaluate(cluster, connectionOf(attempt)).allowed);
    const outcomes = await this.#outcomes(attempts, wanted);
    const wrong: string[] = [];
    let denials = 0;
    attempts.forEach((attempt, index) => {
      const want = wanted[index] ?? false;
      const outcome = outcomes[index] ?? 'nothing';
      if (outcome !== (want ? 'connected' : 'timeout')) wrong.push(`${attemptText(attempt)}: ${outcome}`);
      if (table.explain(connectionOf(attempt)).allowed !== want)
        wrong.push(`${attemptText(attempt)}: the table disagrees`);
      if (!want) denials += 1;
    });
    expect(wrong).toEqual([]);
    await this.#compareExplanations(cluster, attempts);
    return denials;
  }

  /** The lab's own answers, of some connections: each costs a request. */
  async #compareExplanations(cluster: Cluster, attempts: readonly ProbeRequest[]): Promise<void> {
    const wanted = (allowed: boolean): ProbeRequest[] => {
      const some = attempts.find((attempt) => evaluate(cluster, connectionOf(attempt)).allowed === allowed);
      return some ? [some] : [];
    };
    for (const attempt of wanted(true)) expect((await this.#lab.client.explain(attempt)).verdict).toBe('allow');
    for (const attempt of wanted(false)) expect((await this.#lab.client.explain(attempt)).verdict).toBe('deny');
  }

  async #take(step: Step): Promise<void> {
    const { client } = this.#lab;
    switch (step.kind) {
      case 'apply': {
        const file = manifest(step.policies);
        for (const object of parseManifests([file]).objects)
          this.#policies.set(`${object.namespace}/${object.name}`, object);
        expect((await client.apply([file])).issues).toEqual([]);
        return;
      }
      case 'delete':
        this.#policies.delete(step.policy);
        await client.delete({ kind: 'NetworkPolicy', ...partsOf(step.policy) });
        return;
      case 'label':
        await this.#label(step.object, step.labels);
    }
  }

  async #label(object: string, labels: Readonly<Record<string, string | null>>): Promise<void> {
    const merged = Object.entries({ ...this.#labels[object], ...labels });
    const left = merged.filter((pair): pair is [string, string] => pair[1] !== null);
    this.#labels = { ...this.#labels, [object]: Object.fromEntries(left) };
    const target = object.includes('/')
      ? { kind: 'pod', ...partsOf(object) }
      : { kind: 'namespace', namespace: '', name: object };
    await this.#lab.client.label({ ...target, labels, overwrite: true });
  }

  async #undo(): Promise<void> {
    for (const policy of [...this.#policies.keys()]) await this.#take({ kind: 'delete', policy });
    for (const [object, labels] of Object.entries(this.#labels)) {
      if (labels === FIRST_LABELS[object]) continue;
      const added = Object.fromEntries(Object.keys(labels).map((key) => [key, null]));
      await this.#label(object, { ...added, ...FIRST_LABELS[object] });
    }
    this.#labels = FIRST_LABELS;
  }

  /** The cluster as the reference is to see it: the manifests, with the addresses that the pods really have. */
  #cluster(): Cluster {
    const pool = new AddressPool();
    for (const key of POD_KEYS) pool.reservePod(key, this.#addressesOf(key).map(ip));
    const { objects } = parseManifests([manifest(clusterManifests(this.#labels))]);
    const { cluster, issues } = buildCluster([...objects, ...this.#policies.values()], pool);
    expect(issues).toEqual([]);
    return cluster;
  }

  #addressesOf(key: string): readonly string[] {
    return given(this.#addresses.get(key), `${key} has no addresses`);
  }

  /** Every pair of hosts, pods with themselves too, on every port, in both families. */
  #attempts(): ProbeRequest[] {
    const hosts = [...POD_KEYS.map((key) => this.#addressesOf(key)), OUTSIDE.addresses];
    const pairs = hosts.flatMap((from) =>
      hosts.flatMap((to) => [0, 1].map((family) => [from[family], to[family]] as const)),
    );
    return pairs.flatMap(([from = '', to = '']) =>
      PORTS.map((port): ProbeRequest => ({ from, to, ...port, timeoutMs: this.#timeoutMs })),
    );
  }

  /** What came of each attempt. What must pass and did not in time is tried again, with patience, as its user would. */
  async #outcomes(attempts: readonly ProbeRequest[], wanted: readonly boolean[]): Promise<readonly string[]> {
    const outcomes = (await this.#probe(attempts)).map(({ outcome }) => outcome);
    const late = [...attempts.keys()].filter((index) => wanted[index] === true && outcomes[index] === 'timeout');
    const again = late.map((index) => ({ ...given(attempts[index], 'no attempt'), timeoutMs: PATIENCE_MS }));
    const results = await this.#probe(again);
    late.forEach((index, place) => (outcomes[index] = given(results[place], 'no result').outcome));
    return outcomes;
  }

  async #probe(attempts: readonly ProbeRequest[]): Promise<ProbeResult[]> {
    const batches = Array.from({ length: Math.ceil(attempts.length / BATCH) }, (_, index) =>
      attempts.slice(index * BATCH, (index + 1) * BATCH),
    );
    return (await Promise.all(batches.map((batch) => this.#lab.client.probe(batch)))).flat();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#lab[Symbol.asyncDispose]());
  }
}

function connectionOf({ from, to, protocol, port }: ProbeRequest): Connection {
  return { source: ip(from), destination: ip(to), transport: protocol, port: portNumber(port) };
}

function manifest(text: string): ManifestFile {
  return { path: 'conformance.yaml', text };
}

function partsOf(key: string): { namespace: string; name: string } {
  const [namespace = '', name = ''] = key.split('/');
  return { namespace, name };
}

function attemptText({ from, to, protocol, port }: ProbeRequest): string {
  return `${from} to ${to} ${port}/${protocol}`;
}
