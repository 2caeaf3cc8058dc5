import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiFixture } from './api-fixture.ts';
import { deployment, kubectlOf, policy } from './kubectl-session.ts';

let api: ApiFixture;
const kubectl = kubectlOf(() => api);

beforeAll(async () => {
  api = await ApiFixture.start();
});

afterAll(() => api[Symbol.asyncDispose]());

describe('apply', () => {
  it('creates, leaves alone and changes', async () => {
    const first = await kubectl('apply -f -', { input: policy('applied') });
    expect(first.out).toBe('networkpolicy.networking.k8s.io/applied created\n');
    const again = await kubectl('apply -f -', { input: policy('applied') });
    expect(again.out).toBe('networkpolicy.networking.k8s.io/applied unchanged\n');
    const other = await kubectl('apply -f -', { input: policy('applied', 'other') });
    expect(other.out).toBe('networkpolicy.networking.k8s.io/applied configured\n');
    const generation = await kubectl('get netpol applied -o jsonpath={.metadata.generation}');
    expect(generation.out).toBe('2');
  });

  it('shows the difference first', async () => {
    await kubectl('apply -f -', { input: policy('compared') });
    expect((await kubectl('diff -f -', { input: policy('compared') })).out).toBe('');
    const { out } = await kubectl('diff -f -', { input: policy('compared', 'other'), code: 1 });
    expect(out).toMatch(/^-.*app: client$/m);
    expect(out).toMatch(/^\+.*app: other$/m);
    const tried = await kubectl('apply --dry-run=server -f -', { input: policy('compared', 'other') });
    expect(tried.out).toBe('networkpolicy.networking.k8s.io/compared configured (server dry run)\n');
    expect((await kubectl('get netpol compared -o yaml')).out).not.toContain('other');
  });

  it('takes containers away that are no longer written', async () => {
    await kubectl('apply -f -', { input: deployment('merged', ['one', 'two']) });
    await kubectl('apply -f -', { input: deployment('merged', ['two', 'three']) });
    const { out } = await kubectl('get deploy merged -o jsonpath={.spec.template.spec.containers[*].name}');
    expect(out).toBe('two three');
    await kubectl('delete deployment merged');
  });

  it('applies a list of objects and a kustomization', async () => {
    const folder = join(api.folder, 'kustomize');
    await mkdir(folder);
    await api.file('kustomize/policy.yaml', policy('from-kustomize'));
    await api.file(
      'kustomize/kustomization.yaml',
      'namePrefix: my-\nnamespace: kube-system\nresources: [policy.yaml]\n',
    );
    expect((await kubectl(`apply -k ${folder}`)).out).toBe(
      'networkpolicy.networking.k8s.io/my-from-kustomize created\n',
    );
    expect((await kubectl('get netpol -n kube-system -o name')).out).toContain('my-from-kustomize');
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: ['a', 'b'].map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })),
    };
    expect((await kubectl('apply -f -', { input: JSON.stringify(list) })).out).toBe(
      'configmap/a created\nconfigmap/b created\n',
    );
  });

  it('applies on the server side, twice, against another manager, by force', async () => {
    const apply = 'apply --server-side -f -';
    const said = 'networkpolicy.networking.k8s.io/owned serverside-applied\n';
    expect((await kubectl(apply, { input: policy('owned') })).out).toBe(said);
    const version = await kubectl('get netpol owned -o jsonpath={.metadata.resourceVersion}');
    expect((await kubectl(apply, { input: policy('owned') })).out).toBe(said);
    expect((await kubectl('get netpol owned -o jsonpath={.metadata.resourceVersion}')).out).toBe(version.out);
    const other = { input: policy('owned', 'other') };
    const refused = await kubectl(`${apply} --field-manager=second`, { ...other, code: 1 });
    expect(refused.err).toContain(
      'Apply failed with 1 conflict: conflict with "kubectl" using networking.k8s.io/v1: .spec.ingress\n',
    );
    expect((await kubectl(`${apply} --field-manager=second --force-conflicts`, other)).out).toBe(said);
    expect((await kubectl('get netpol owned -o yaml')).out).toContain('app: other');
  });

  it('lets server-side apply take over from apply', async () => {
    await kubectl('apply -f -', { input: policy('migrated') });
    await kubectl('apply --server-side -f -', { input: policy('migrated') });
    await kubectl('apply --server-side -f -', { input: policy('migrated', 'other') });
    const { out } = await kubectl('get netpol migrated --show-managed-fields -o json');
    const managers = (JSON.parse(out) as { metadata: { managedFields: { manager: string }[] } }).metadata.managedFields;
    expect(managers.map(({ manager }) => manager)).not.toContain('kubectl-client-side-apply');
    const kept = await kubectl('apply -f -', { input: policy('migrated', 'third') });
    expect(kept.out).toContain('configured');
  });
});

describe('change', () => {
  beforeAll(() => kubectl('apply -f -', { input: policy('changed') }));

  const shown = async (path: string): Promise<string> =>
    (await kubectl(`get netpol changed -o jsonpath={${path}}`)).out;

  it.each([
    ['label netpol changed team=a', 'labeled', '.metadata.labels', '{"team":"a"}'],
    ['label netpol changed team=b --overwrite', 'labeled', '.metadata.labels', '{"team":"b"}'],
    ['label netpol changed team-', 'unlabeled', '.metadata.labels', ''],
    ['annotate netpol changed note=x', 'annotated', '.metadata.annotations.note', 'x'],
    ['patch netpol changed -p {"spec":{"policyTypes":["Egress"]}}', 'patched', '.spec.policyTypes', '["Egress"]'],
    ['patch netpol changed --type=merge -p {"spec":{"ingress":null}}', 'patched', '.spec.ingress', ''],
    [
      'patch netpol changed --type=json -p [{"op":"add","path":"/spec/policyTypes/0","value":"Ingress"}]',
      'patched',
      '.spec.policyTypes',
      '["Ingress","Egress"]',
    ],
    ['patch netpol changed -p {}', 'patched (no change)', '.spec.policyTypes', '["Ingress","Egress"]'],
  ])('%s', async (line, said, path, value) => {
    expect((await kubectl(line)).out).toBe(`networkpolicy.networking.k8s.io/changed ${said}\n`);
    expect(await shown(path)).toBe(value);
  });

  it('refuses a patch that does not fit', async () => {
    const { err } = await kubectl('patch netpol changed --type=json -p [{"op":"remove","path":"/spec/x"}]', {
      code: 1,
    });
    expect(err).toBe('The request is invalid: the server rejected our request due to an error in our request\n');
  });

  it('edits in an editor', async () => {
    await kubectl('apply -f -', { input: policy('edited') });
    const edited = await kubectl('edit netpol edited', { env: { EDITOR: 'sed -i s/client/editor/' } });
    expect(edited.out).toBe('networkpolicy.networking.k8s.io/edited edited\n');
    expect((await kubectl('get netpol edited -o yaml')).out).toContain('app: editor');
  });

  it('replaces, and refuses to replace an older version', async () => {
    await kubectl('apply -f -', { input: policy('replaced') });
    const { out } = await kubectl('get netpol replaced -o json');
    expect((await kubectl('replace -f -', { input: out.replaceAll('client', 'new') })).out).toContain('replaced');
    const { err } = await kubectl('replace -f -', { input: out, code: 1 });
    expect(err).toContain(
      'Operation cannot be fulfilled on networkpolicies.networking.k8s.io "replaced": the object has been modified;',
    );
  });

  it('deletes by name and by label, and waits', async () => {
    await kubectl('label netpol edited replaced doomed=yes');
    expect((await kubectl('delete netpol changed')).out).toBe('networkpolicy.networking.k8s.io "changed" deleted\n');
    expect((await kubectl('delete netpol -l doomed')).out.match(/deleted/g)).toHaveLength(2);
    await kubectl('delete netpol changed --ignore-not-found');
    expect((await kubectl('delete netpol changed', { code: 1 })).err).toContain('NotFound');
  });
});
