import { lint } from '../../src/lint/lint.ts';
import type { Finding } from '../../src/lint/finding.ts';
import { AddressPool } from '../../src/manifest/address-pool.ts';
import { buildCluster } from '../../src/manifest/build-cluster.ts';
import { parseManifests } from '../../src/manifest/manifest.ts';

/** A shop: web (8080, named http), api and a namespace of monitors; a Service leads from 80 to 8080. */
export const SHOP = `
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: shop}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: watch, labels: {team: watch}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: api, namespace: shop, labels: {app: api}}, spec: {containers: [{name: c, image: i, ports: [{containerPort: 9090}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: monitor, namespace: watch, labels: {app: monitor}}, spec: {containers: [{name: c, image: i}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: 10.96.0.80, selector: {app: web}, ports: [{port: 80, targetPort: http}]}}
---
`;

/** A policy `shop/NAME`; its spec begins in line 5 of its own text. */
export function shopPolicy(spec: string, name = 'p', annotations = '{}'): string {
  const body = spec
    .trim()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: shop, annotations: ${annotations}}\nspec:\n${body}\n---\n`;
}

/** What lint finds in these texts, each a file `0.yaml`, `1.yaml` and so on. Throws on manifests that are invalid. */
export function lintTexts(texts: readonly string[], ignore: readonly string[] = []): readonly Finding[] {
  const { objects, issues: unread } = parseManifests(texts.map((text, index) => ({ path: `${index}.yaml`, text })));
  const { cluster, issues } = buildCluster(objects, new AddressPool());
  const [issue] = [...unread, ...issues];
  if (issue) throw new Error(`bad test data: ${issue.file}:${issue.line} ${issue.message}`);
  return lint(cluster, objects, ignore).findings;
}
