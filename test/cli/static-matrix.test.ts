import { expect, test } from 'vitest';
import { staticMatrix } from '../../src/cli/static-matrix.ts';
import { podKey, isEndpoint } from '../../src/model/pod.ts';
import { toConnections } from '../../src/model/question.ts';
import { evaluate } from '../../src/reference/evaluate.ts';
import { portNumber } from '../builders/address.ts';
import { build, randomCluster } from '../builders/random-cluster.ts';
import { Random } from '../builders/random.ts';

const SEED = 20_260_401;

test(`the static matrix is what the reference says of each question (seeds from ${SEED})`, () => {
  const port = { protocol: 'TCP', port: portNumber(80) } as const;
  for (let seed = SEED; seed < SEED + 60; seed += 1) {
    const cluster = build(randomCluster(new Random(seed)));
    const pods = cluster.pods.filter(isEndpoint).slice(0, 20);
    const { pods: names, allowed } = staticMatrix({ ...cluster, pods }, port);
    expect(names).toEqual(pods.map(podKey));
    const ends = pods.map(({ namespace, name }) => ({ kind: 'pod', namespace, name }) as const);
    const want = ends.map((from) =>
      ends.map((to) => {
        const found = toConnections({ ...cluster, pods }, { from, to, transport: port.protocol, port: port.port });
        const byFamily = found.kind === 'connections' ? found.byFamily : [];
        return byFamily.some(({ connection }) => evaluate({ ...cluster, pods }, connection).allowed);
      }),
    );
    expect(allowed, `seed ${seed}`).toEqual(want);
  }
});
