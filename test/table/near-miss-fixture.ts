import { evaluate } from '../../src/reference/evaluate.ts';
import { nearMisses } from '../../src/table/near-miss.ts';
import { cluster, namespace, type ClusterNotation } from '../builders/cluster.ts';
import { connection, type EndNotation } from '../builders/connection.ts';
import { pod } from '../builders/pod.ts';
import { service } from '../builders/service.ts';

/** A pod of the namespace shop, which has team=a. */
export const client = pod({
  name: 'client',
  namespace: 'shop',
  labels: { app: 'frontend2', env: 'b' },
  ip: ['10.1.0.1', 'fd00::1'],
  ports: ['web=9000'],
});
/** A pod of the namespace default, behind the Service web. */
export const web = pod({
  name: 'web',
  labels: { app: 'web' },
  ip: ['10.1.0.2', 'fd00::2'],
  ports: ['http=8080', 'dns=53/UDP'],
});
const ground: ClusterNotation = {
  namespaces: [namespace('shop', { team: 'a' })],
  pods: [client, web],
  services: [
    service({ name: 'other', pods: { app: 'other' }, ports: ['80:8080'] }),
    service({ name: 'web', pods: { app: 'web' }, ports: ['80:8080', '81:http', '53:dns/UDP'] }),
  ],
};

/** The near misses of a connection where these are the policies. */
export function missesOf(
  policies: ClusterNotation['policies'],
  [from, to, port]: readonly [EndNotation, EndNotation, string],
) {
  const all = cluster({ ...ground, policies: policies ?? [] });
  const question = connection(from, to, port);
  return nearMisses(all, question, evaluate(all, question));
}
