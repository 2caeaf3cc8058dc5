import { describe, expect, it } from 'vitest';
import { eventually, pod, serving, useLab } from './cli-fixture.ts';
import { kubectl, kubectlOnTerminal, startKubectl } from './kubectl-fixture.ts';

const ECHO = 'echo ready; while read line; do echo "heard $line"; done; echo over';
const CALM = { name: 'main', image: 'busybox', command: ['sh', '-c', ECHO], stdin: true };
const MANIFESTS = [
  pod('client'),
  pod('web', { containers: [serving('80/TCP')] }),
  pod('calm', { containers: [CALM] }),
  pod('once', { restartPolicy: 'Never', containers: [{ ...CALM, stdinOnce: true }] }),
];

describe.each([
  { user: 'this user', ordinary: false },
  { user: 'an ordinary user', ordinary: true },
])('kubectl attach and run in a lab of $user', ({ ordinary }) => {
  const lab = useLab({ manifests: MANIFESTS, ordinary });
  const gone = async (name: string) => {
    expect(await kubectl(lab, `get pod ${name}`, { code: 1 })).toContain(`pods "${name}" not found`);
  };

  it('shows what a container says from now on; its input outlasts a client', async () => {
    for (const word of ['one', 'two']) {
      const attached = startKubectl(lab, 'attach -i calm');
      attached.stdin.write(`${word}\n`);
      await attached.printed(`heard ${word}`);
      attached.stdin.end();
      process.kill(attached.pid, 'SIGTERM');
      await attached.ended;
    }
    expect((await lab.pod('calm')).restarts).toBe(0);
  });

  it('ends with the container, whose input ends with its only client', async () => {
    const text = await kubectl(lab, 'attach -i once', { input: 'hello\n' });
    expect(text).toContain('ready\nheard hello\nover\n');
    await kubectl(lab, 'wait --for=jsonpath={.status.phase}=Succeeded pod/once --timeout=10s');
  });

  it('shows the requests of a built-in server as they come', async () => {
    const attached = startKubectl(lab, 'attach web');
    let shown: true | undefined;
    void attached.printed('GET /here').then(() => (shown = true));
    const [address] = (await lab.pod('web')).addresses;
    await eventually(async () => {
      await lab.exec('client', `curl -sS -m 3 http://${address}/here`);
      return shown;
    }, 'a request is shown');
    process.kill(attached.pid, 'SIGTERM');
    await attached.ended;
  });

  it('run -i --rm runs a command to its end, shows it and removes the pod', async () => {
    const words = ['run', '-i', '--rm', '--restart=Never', 'brief', '--image=busybox', '--'];
    const text = await kubectl(lab, [...words, 'sh', '-c', 'cat; echo the end'], { input: 'typed\n' });
    expect(text).toContain('typed\nthe end\n');
    expect(text).toContain('pod "brief" deleted');
    await gone('brief');
    expect(await kubectl(lab, [...words, 'sh', '-c', 'sleep 1; exit 3'], { code: 3 })).toContain('terminated (Error)');
    await gone('brief');
  });

  it('run -it gives a terminal', async () => {
    const words = ['run', '-it', '--rm', '--restart=Never', 'shell', '--image=busybox', '--', 'sh'];
    const running = kubectlOnTerminal(lab, words);
    // The size comes by a way of its own, and may be later than what is typed.
    running.stdin.write("tty; until stty size | grep '^40 1'; do sleep 0.1; done\r");
    await running.printed('40 100');
    running.stdin.write('exit 4\r');
    const { exit, stdout } = await running.ended;
    expect(stdout).toMatch(/\/dev\/pts\/\d+/);
    expect(exit, stdout).toBe(4);
    await gone('shell');
  });

  it('debug is refused', async () => {
    expect(await kubectl(lab, 'debug client --image=busybox -- true', { code: 1 })).toMatch(/ephemeral/);
  });
});
