import { describe, expect, it } from 'vitest';
import { pod, policy, service, serving, useLab } from './cli-fixture.ts';

const MANIFESTS = [
  pod('client'),
  pod('cut'),
  pod('web', { containers: [serving('80/TCP')] }),
  pod('shut', { containers: [serving('80/TCP')] }),
  service('web', { ports: [{ port: 80 }] }),
  service('shut', { ports: [{ port: 80 }] }),
  policy('shut', 'shut', { policyTypes: ['Ingress'] }),
  policy('cut', 'cut', { policyTypes: ['Egress'] }),
];

interface Case {
  readonly name: string;
  readonly pod: string;
  readonly command: string;
  readonly exit: number;
  readonly output: RegExp;
}

// The slowest comes first: the others run meanwhile.
const DROPPED: readonly Case[] = [
  {
    name: 'nslookup, dropped',
    pod: 'cut',
    command: 'nslookup web',
    exit: 1,
    output: /^(;; communications error to 10\.96\.0\.10#53: timed out\n){3}(.*\n)*;; no servers could be reached$/m,
  },
  { name: 'curl, allowed', pod: 'client', command: 'curl -sS -m 3 http://web', exit: 0, output: /^pod: web$/m },
  {
    name: 'curl -m 3, SYN dropped',
    pod: 'client',
    command: 'curl -sS -m 3 http://shut',
    exit: 28,
    output: /^curl: \(28\) Connection timed out after 3\d\d\d milliseconds$/m,
  },
  {
    name: 'curl --connect-timeout 2, SYN dropped',
    pod: 'client',
    command: 'curl -sS --connect-timeout 2 http://shut',
    exit: 28,
    output: /^curl: \(28\) Failed to connect to shut port 80 after 2\d\d\d ms: Timeout was reached$/m,
  },
  {
    name: 'curl, port refused',
    pod: 'client',
    command: 'curl -sS -m 3 http://web:81',
    exit: 7,
    output: /^curl: \(7\) Failed to connect to web port 81 after \d+ ms: Couldn't connect to server$/m,
  },
  {
    name: 'curl -m 3, DNS dropped',
    pod: 'cut',
    command: 'curl -sS -m 3 http://web',
    exit: 28,
    output: /^curl: \(28\) Resolving timed out after 3\d\d\d milliseconds$/m,
  },
  {
    name: 'curl, resolver gave up',
    pod: 'cut',
    command: 'env RES_OPTIONS=timeout:2 curl -sS http://web', // the resolver's own patience is 10 s to 20 s
    exit: 6,
    output: /^curl: \(6\) Could not resolve host: web$/m,
  },
  {
    name: 'curl, no such name',
    pod: 'client',
    command: 'curl -sS -m 3 http://nosuch',
    exit: 6,
    output: /^curl: \(6\) Could not resolve host: nosuch$/m,
  },
  {
    name: 'nc -vz, allowed',
    pod: 'client',
    command: 'nc -vz -w 2 web 80',
    exit: 0,
    output: /^Connection to web .* 80 port \[tcp\/\S+\] succeeded!$/m,
  },
  {
    name: 'nc -vz -w 2, dropped',
    pod: 'client',
    command: 'nc -vz -w 2 shut 80',
    exit: 1,
    output: /^nc: connect to shut .*port 80 \(tcp\) timed out: Operation now in progress$/m,
  },
  {
    name: 'nc -vz, refused',
    pod: 'client',
    command: 'nc -vz -w 2 web 81',
    exit: 1,
    output: /^nc: connect to web .*port 81 \(tcp\) failed: Connection refused$/m,
  },
  {
    name: 'nslookup -timeout=1 -retry=0, dropped',
    pod: 'cut',
    command: 'nslookup -timeout=1 -retry=0 web',
    exit: 1,
    output: /^;; communications error to 10\.96\.0\.10#53: timed out\n(.*\n)*;; no servers could be reached$/m,
  },
  {
    name: 'nslookup, no such name',
    pod: 'client',
    command: 'nslookup nosuch',
    exit: 1,
    output: /^\*\* server can't find nosuch: NXDOMAIN$/m,
  },
  {
    name: 'nslookup, allowed',
    pod: 'client',
    command: 'nslookup web',
    exit: 0,
    output:
      /^Server:\t\t10\.96\.0\.10\nAddress:\t10\.96\.0\.10#53\n\nName:\tweb\.default\.svc\.cluster\.local\nAddress: 10\.96\./m,
  },
];

const REJECTED: readonly Case[] = [
  { name: 'curl, allowed', pod: 'client', command: 'curl -sS -m 3 http://web', exit: 0, output: /^pod: web$/m },
  {
    name: 'curl, refused by the gate',
    pod: 'client',
    command: 'curl -sS -m 3 http://shut',
    exit: 7,
    output: /^curl: \(7\) Failed to connect to shut port 80 after \d+ ms: Couldn't connect to server$/m,
  },
  {
    name: 'curl over IPv6, refused by the gate',
    pod: 'client',
    command: 'curl -6 -sS -m 3 http://shut',
    exit: 7,
    output: /^curl: \(7\) Failed to connect to shut port 80 after \d+ ms: Couldn't connect to server$/m,
  },
  {
    name: 'nc -vz, refused by the gate',
    pod: 'client',
    command: 'nc -vz -w 2 shut 80',
    exit: 1,
    output: /^nc: connect to shut .*port 80 \(tcp\) failed: Connection refused$/m,
  },
  {
    name: 'curl, DNS refused',
    pod: 'cut',
    command: 'curl -sS -m 3 http://web',
    exit: 6,
    output: /^curl: \(6\) Could not resolve host: web$/m,
  },
  {
    name: 'nslookup, refused by the gate',
    pod: 'cut',
    command: 'nslookup -timeout=1 -retry=0 web',
    exit: 1,
    output: /^;; communications error to 10\.96\.0\.10#53: (connection refused|host unreachable)$/m,
  },
];

const WAYS = [
  { deny: 'drop', cases: DROPPED },
  { deny: 'reject', cases: REJECTED },
];

// What real programs print on a real cluster is written down in the project's notes on its platform.
describe.each(WAYS)('what a user sees, denials $deny', ({ deny, cases }) => {
  const lab = useLab({ manifests: MANIFESTS, flags: ['--deny', deny] });

  it.concurrent.each(cases)('$name', async ({ pod: from, command, exit, output }) => {
    const seen = await lab.exec(from, command);
    expect(`${seen.stdout}${seen.stderr}`).toMatch(output);
    expect(seen.exit).toBe(exit);
  });
});
