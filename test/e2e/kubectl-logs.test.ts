import { describe, expect, it } from 'vitest';
import { eventually, pod, serving, useLab } from './cli-fixture.ts';
import { kubectl, startKubectl } from './kubectl-fixture.ts';

/** Containers that run a shell script. */
function running(...scripts: readonly string[]): object {
  return {
    containers: scripts.map((script, index) => ({
      name: `c${index}`,
      image: 'busybox',
      command: ['sh', '-c', script],
    })),
  };
}

const TALK = 'echo hello; echo to stderr >&2; while read line <&3; do echo "said $line"; done 3<>';
const MANIFESTS = [
  pod('client'),
  pod('web', { containers: [serving('80/TCP', '5353/UDP')] }),
  pod('over', { restartPolicy: 'Never', ...running('echo all there is') }),
  pod('two', running('echo first; exec sleep 900', 'echo second; exec sleep 900')),
];

describe.each([
  { user: 'this user', ordinary: false },
  { user: 'an ordinary user', ordinary: true },
])('kubectl logs in a lab of $user', ({ ordinary }) => {
  const lab = useLab({ manifests: MANIFESTS, ordinary });

  it('shows the requests of a built-in server', async () => {
    const [address] = (await lab.pod('web')).addresses;
    await lab.exec('client', ['curl', '-sS', '-m', '3', '-A', 'a "quoted"\tagent', `http://${address}/some/path?q=1`]);
    expect(await kubectl(lab, 'logs web')).toMatch(
      /^10\.244\.\S+ - - \[\d\d\/\w{3}\/\d{4}:[\d:]{8} \+0000\] "GET \/some\/path\?q=1 HTTP\/1\.1" 200 \d+ "-" "a \\x22quoted\\x22\\x09agent"\n$/,
    );
  });

  it('shows the output of a command, of a container that has ended too', async () => {
    expect(await kubectl(lab, 'logs over')).toBe('all there is\n');
    expect(await kubectl(lab, 'logs over --timestamps')).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d+Z all there is\n$/);
    expect(await kubectl(lab, 'logs two -c c1')).toBe('second\n');
    // kubectl asks for one container after another, in the order of a Go map: any.
    expect((await kubectl(lab, 'logs two --all-containers')).split('\n').sort()).toEqual(['', 'first', 'second']);
  });

  it('shows the output of the pod of a Job', async () => {
    await kubectl(lab, ['create', 'job', 'batch', '--image=busybox', '--', 'sh', '-c', 'echo of the job']);
    await kubectl(lab, 'wait --for=condition=Complete job/batch --timeout=10s');
    expect(await kubectl(lab, 'logs job/batch')).toBe('of the job\n');
  });

  it('follows, from the last lines on, until the container ends', async () => {
    const folder = await lab.user.folder({});
    await lab.apply(pod('talk', { restartPolicy: 'Never', ...running(`mkfifo ${folder}/in; ${TALK} ${folder}/in`) }));
    const say = (text: string) => lab.shell('talk', `echo ${text} > ${folder}/in`);
    await eventually(async () => ((await kubectl(lab, 'logs talk')).includes('hello') ? true : undefined), 'it talks');
    const following = startKubectl(lab, 'logs -f talk');
    const tailing = startKubectl(lab, 'logs -f talk --tail=0');
    await following.printed('hello');
    await say('one');
    await following.printed('said one');
    await say('two');
    await Promise.all([following.printed('said two'), tailing.printed('said two')]);
    await kubectl(lab, 'delete pod talk');
    expect((await following.ended).stdout).toBe('hello\nto stderr\nsaid one\nsaid two\n');
    expect((await tailing.ended).stdout).not.toContain('hello');
  });

  it('has the log of the run before the last restart', async () => {
    const folder = await lab.user.folder({});
    const script = `echo x >> ${folder}/runs; echo run $(wc -l < ${folder}/runs); test -e ${folder}/stay && exec sleep 900`;
    await lab.run('exec', ['client', '--', 'true']);
    await lab.apply(pod('again', running(script)));
    await eventually(async () => ((await lab.pod('again')).restarts > 0 ? true : undefined), 'it is restarted');
    await lab.shell('client', `touch ${folder}/stay`);
    const last = await eventually(
      async () => /run (\d+)/.exec((await lab.pod('again')).ready ? await kubectl(lab, 'logs again') : '')?.[1],
      'it stays',
    );
    expect(await kubectl(lab, 'logs again --previous')).toBe(`run ${Number(last) - 1}\n`);
    expect(await kubectl(lab, 'logs web --previous', { code: 1 })).toContain(
      'previous terminated container "server" in pod "web" not found',
    );
  });

  it('says which container it cannot show', async () => {
    expect(await kubectl(lab, 'logs two -c nosuch', { code: 1 })).toContain(
      'container nosuch is not valid for pod two',
    );
    expect(await kubectl(lab, 'logs nosuch', { code: 1 })).toContain('pods "nosuch" not found');
  });
});
