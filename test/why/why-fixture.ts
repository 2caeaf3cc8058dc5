import { AddressPool } from '../../src/manifest/address-pool.ts';
import { buildCluster } from '../../src/manifest/build-cluster.ts';
import { parseManifests, type ManifestFile } from '../../src/manifest/manifest.ts';
import type { Cluster } from '../../src/model/cluster.ts';
import { ownManifest, type PolicyManifest } from '../../src/why/policy-manifest.ts';
import { given } from '../builders/given.ts';

/** The cluster of these files, and the manifests of its policies, each in the file that it is from. */
export function clusterOf(files: readonly ManifestFile[]): { cluster: Cluster; manifests: PolicyManifest[] } {
  const { objects, issues } = parseManifests(files);
  const built = buildCluster(objects, new AddressPool());
  if (issues.length + built.issues.length > 0) throw new Error(JSON.stringify([...issues, ...built.issues]));
  const manifests = built.cluster.policies.map((policy) => {
    const file = given(
      files.find(({ path }) => path === policy.source.file),
      'the file of a policy',
    );
    return given(ownManifest(file, policy), 'a policy in its file');
  });
  return { cluster: built.cluster, manifests };
}

/** Pods with the label app; the namespace is default unless the name has one. */
export function podsFile(...names: readonly string[]): ManifestFile {
  const pods = names.map((key) => {
    const [name = '', namespace = 'default'] = key.split('/').reverse();
    const metadata = { name, namespace, labels: { app: name } };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { containers: [{ name: 'main', image: 'x' }] },
    });
  });
  return { path: 'pods.yaml', text: pods.join('\n---\n') };
}

/** A policy file: the spec is YAML. */
export function policyFile(name: string, spec: string, namespace = 'default'): ManifestFile {
  const head = `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\n`;
  return { path: `${name}.yaml`, text: `${head}spec:\n${spec.trim().replace(/^/gm, '  ')}\n` };
}
