import { describe, expect, it } from 'vitest';
import type { FlowEvent } from '../../src/flows/flow-event.ts';
import { FlowLog } from '../../src/flows/flow-log.ts';
import { EgressAdmission } from '../../src/lab/control-plane/egress-admission.ts';
import { DEFAULT_OPTIONS, type LabOptions } from '../../src/lab/lab-client.ts';
import type { Pod } from '../../src/model/pod.ts';
import { compile } from '../../src/table/compile.ts';
import { cluster } from '../builders/cluster.ts';
import { given } from '../builders/given.ts';
import { pod } from '../builders/pod.ts';
import { policy } from '../builders/policy.ts';
import { service } from '../builders/service.ts';

const CLIENT = pod({ name: 'client', ip: ['10.244.0.2', 'fd00:10:244::2'], labels: { app: 'client' } });
const WEB = pod({ name: 'web', ip: '10.244.0.3', labels: { app: 'web' }, ports: ['http=8080'] });
const GATEWAY = gatewayOf(pod({ name: 'gateway', ip: '10.244.0.4', ports: ['3128'] }));
const SERVICE = service({ name: 'web', ip: '10.96.0.80', pods: { app: 'web' }, ports: ['80:http'] });
const OUTSIDE = { name: 'api.example.com', addresses: ['203.0.113.10'], ports: [] };
const DENY = policy({
  name: 'deny',
  pods: { app: 'client' },
  egress: [{ to: [{ pods: { app: 'web' } }], ports: ['8080'] }],
});

function gatewayOf(one: Pod): Pod {
  return { ...one, containers: one.containers.map((each) => ({ ...each, image: 'netpol-lab/egress-gateway:1' })) };
}

/** An admission whose policies can be changed. */
function admissionOf(options: Partial<LabOptions> = {}, isReady: (pod: Pod) => boolean = () => true) {
  const log = new FlowLog(10);
  const made = (policies: Parameters<typeof cluster>[0]['policies'] = []) =>
    compile(cluster({ pods: [CLIENT, WEB, GATEWAY], services: [SERVICE], policies }));
  let table = made();
  const spec = { external: [OUTSIDE], options: { ...DEFAULT_OPTIONS, ...options } };
  const admission = new EgressAdmission({ spec, table: () => table, isReady, log });
  const apply = (...policies: NonNullable<Parameters<typeof made>[0]>): void => {
    table = made(policies);
    admission.recheck();
  };
  const ask = (destination: string, port = 443, client = '10.244.0.2') =>
    admission.admit({ gateway: 'default/gateway', client, clientPort: 40_000, destination, port });
  return { log, apply, ask };
}

describe('what a gateway may dial', () => {
  it('is what policies allow the client itself, and is logged as the client’s', () => {
    const { ask, apply, log } = admissionOf();
    expect(ask('203.0.113.10').answer).toEqual({
      kind: 'allowed',
      address: '203.0.113.10',
      port: 443,
      revocable: false,
    });
    apply(DENY);
    expect(ask('203.0.113.10').answer).toEqual({
      kind: 'denied',
      reason:
        'default/client -> api.example.com (203.0.113.10) 443/TCP: ' +
        'egress denied: isolated by default/deny (default-deny.yaml:1), no rule matches',
    });
    const told = ({ verdict, via, from, to, port }: FlowEvent) => `${verdict} ${via} ${from.name} ${to.name} ${port}`;
    expect(log.events.map(told)).toEqual([
      'allow default/gateway default/client api.example.com 443',
      'deny default/gateway default/client api.example.com 443',
    ]);
  });

  it('is judged in the family of the destination, whichever the client is connected by', () => {
    const { ask, log } = admissionOf();
    expect(ask('2001:db8::1', 443, '10.244.0.2').answer.kind).toBe('allowed');
    expect(ask('203.0.113.10', 443, 'fd00:10:244::2').answer.kind).toBe('allowed');
    expect(log.events.map(({ from }) => from.address)).toEqual(['fd00:10:244::2', '10.244.0.2']);
    expect(ask('2001:db8::1', 443, '10.244.0.3').answer).toEqual({
      kind: 'unreachable',
      reason: 'default/web has no IPv6 address',
    });
  });

  it('is the pod behind a Service, which policies know by its own port', () => {
    const { ask, apply } = admissionOf();
    apply(DENY);
    expect(ask('10.96.0.80', 80).answer).toMatchObject({ kind: 'allowed', address: '10.244.0.3', port: 8080 });
    expect(ask('10.96.0.80', 8080).answer.kind).toBe('unreachable'); // no port of the Service
    expect(admissionOf({}, () => false).ask('10.96.0.80', 80).answer).toEqual({
      kind: 'unreachable',
      reason: 'no ready pod is behind port 80/TCP of Service default/web',
    });
  });

  it.each(['127.0.0.1', '0.0.0.0', '::', '::1', '::ffff:10.244.0.3', '169.254.1.1', 'fe80::1', '224.0.0.1', 'ff02::1'])(
    'is nothing that means the gateway’s own machine or link: %s',
    (address) => {
      expect(admissionOf().ask(address).answer).toEqual({
        kind: 'denied',
        reason: `${address} is nowhere that a gateway can lead to`,
      });
    },
  );

  it.each([
    { client: '10.244.0.9', reason: 'no pod has the address 10.244.0.9: a gateway serves pods alone' },
    { client: '10.244.0.4', reason: 'a gateway serves no gateway' },
    { client: 'nobody', reason: 'no pod has the address nobody: a gateway serves pods alone' },
  ])('is nothing for $client', ({ client, reason }) => {
    expect(admissionOf().ask('203.0.113.10', 443, client).answer).toEqual({ kind: 'denied', reason });
  });
});

describe('a change of policies', () => {
  it('revokes what it denies and nothing else, where connections are cut', () => {
    const { ask, apply } = admissionOf({ established: 'strict' });
    const [denied, kept, ended] = [ask('203.0.113.10'), ask('10.244.0.3', 8080), ask('203.0.113.10')];
    ended.release();
    apply(policy({ name: 'other', pods: { app: 'web' }, egress: [] }));
    expect(denied.revoked?.aborted).toBe(false);
    apply(DENY);
    expect([denied, kept, ended].map(({ revoked }) => given(revoked, 'it can be revoked').aborted)).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('leaves all that is open alone otherwise', () => {
    expect(admissionOf({ established: 'keep' }).ask('203.0.113.10').revoked).toBeUndefined();
  });
});
