import assert from 'node:assert/strict';
import type { VmScope } from '../../../../src/mesh/era.ts';
import type { HostWork } from '../../../../src/mesh/host/hostWork.ts';
import { connectedStep } from '../../../../src/mesh/istiod/connected.ts';
import { explicitEntry } from '../../../../src/mesh/istiod/explicitEntry.ts';
import { obstacle, preflightNotes } from '../../../../src/mesh/istiod/preflight.ts';
import { asAgentKeepsIt } from '../../../../src/mesh/istiod/rootCert.ts';
import { hasLivingCertificate, sidecarOf, withReaders } from '../../../../src/mesh/istiod/sidecar.ts';
import { skewNotes } from '../../../../src/mesh/istiod/skew.ts';
import { message } from '../../../../src/mesh/messages.ts';
import type { ControlPlaneDetail, VmEntry, WorkloadGroup } from '../../../../src/mesh/model.ts';
import type { HostFacts, HostState } from '../../../../src/mesh/ports.ts';
import { coded } from '../citadel/support.ts';
import { facts, hostState, NotingHost, textFile, work } from '../host/support.ts';
import { object, PLANE, vmScope, world } from './support.ts';

const scope = (vm: Partial<VmEntry> = {}, address: string | undefined = '10.1.0.3') => {
  const one = work(new NotingHost(hostState())).scope;
  return { ...one, vm: { ...one.vm, ...vm }, address };
};
const group: WorkloadGroup = {
  namespace: 'vm',
  name: 'mysql',
  serviceAccount: 'mysql',
  labels: { app: 'mysql' },
  annotations: {},
  ports: { tcp: 3306 },
};
const withFacts = (more: Partial<HostFacts>): HostState => hostState({ facts: { ...facts, ...more } });

describe('what stands in the way of a machine', () => {
  const code = (more: Partial<HostFacts>): string | undefined => obstacle(scope(), withFacts(more))?.code;

  it('is a system without packages, and a clock by which a fresh certificate does not count', () => {
    assert.equal(code({}), undefined);
    assert.equal(code({ os: { id: 'alpine', version: '3', architecture: 'x86_64' } }), 'istiod.os-unsupported');
    assert.equal(code({ clockOffsetSeconds: -100 }), undefined);
    assert.equal(code({ clockOffsetSeconds: -130 }), 'host.clock');
    assert.equal(code({ clockOffsetSeconds: 25 * 3600 }), 'host.clock');
  });

  it("is the gateway's host name where the machine is to call istiod by it and cannot resolve it, or istiod's certificate is known to lack it", () => {
    const one = scope();
    const detail = (attention: boolean): ControlPlaneDetail[] => [
      { id: 'gateway-address', label: message('istiod.detail.gateway-address'), value: 'a1.elb.example' },
      { id: 'certificate-names', label: message('istiod.detail.certificate-names'), value: '-', ...(attention ? { attention } : {}) },
    ];
    const called = (hostname: 'resolve' | 'san', attention = false): VmScope => ({
      ...one,
      entry: { ...one.entry, ingress: { service: 'istio-eastwestgateway', hostname } },
      controlPlane: { ...one.controlPlane, details: detail(attention) },
    });
    const resolving = (addresses: readonly string[]): HostState => ({ ...withFacts({}), resolved: { 'a1.elb.example': addresses } });
    assert.equal(obstacle(called('san'), resolving([]))?.code, 'istiod.gateway-name-unknown');
    assert.equal(obstacle(called('san'), resolving(['192.0.2.1'])), undefined);
    assert.equal(obstacle(called('resolve'), resolving([])), undefined);
    const notes = (attention: boolean) =>
      preflightNotes(called('san', attention), withFacts({})).map((note) => note.kind === 'note' && note.text.id);
    assert.deepEqual(notes(true), ['istiod.custom-host.lacking']);
    assert.deepEqual(notes(false), []);
  });

  it('is not a resolver of its own, but its owner is told', () => {
    const notes = (server: string, vm: Partial<VmEntry> = {}): readonly unknown[] =>
      preflightNotes(scope(vm), {
        ...withFacts({
          port53: [
            { process: 'systemd-resolve', address: '127.0.0.53%lo' },
            { process: 'dnsmasq', address: '0.0.0.0' },
          ],
        }),
        files: [{ path: '/etc/resolv.conf', exists: true, text: `nameserver ${server}\n` }],
      }).map((note) => (note.kind === 'note' ? [note.text.id, note.text.args.process] : note));
    assert.deepEqual(notes('127.0.0.53'), [['istiod.dns.local', 'systemd-resolved']]);
    assert.deepEqual(notes('127.0.0.1'), [['istiod.dns.local', 'dnsmasq']]);
    assert.deepEqual(notes('10.0.0.2'), []);
    assert.deepEqual(notes('127.0.0.1', { captureDns: false }), [['istiod.dns.off', undefined]]);
  });
});

describe('the sidecar of a machine', () => {
  const now = new Date('2026-01-02T00:00:00Z');
  const certificate = (notAfter: string): HostState =>
    hostState({
      files: [
        {
          path: '/etc/certs/cert-chain.pem',
          exists: true,
          certificate: { subject: '', issuer: '', uris: [], notBefore: '2026-01-01T00:00:00Z', notAfter, fingerprint: '' },
        },
      ],
    });

  it('starts again for a token only where its certificate is over', () => {
    const token = textFile('/var/run/secrets/tokens/istio-token', '', { readBy: [] });
    const readers = (state: HostState) => withReaders([token, textFile('/etc/hosts', '')], state, now).map(({ readBy }) => readBy);
    assert.deepEqual(readers(certificate('2026-01-02T00:00:01Z')), [[], ['istio']]);
    assert.deepEqual(readers(certificate('2026-01-02T00:00:00Z')), [['istio'], ['istio']]);
    assert.deepEqual(readers(hostState()), [['istio'], ['istio']]);
    assert.equal(hasLivingCertificate(certificate('2026-01-02T06:00:00Z'), now, 0.25), false);
    assert.equal(hasLivingCertificate(certificate('2026-01-03T00:00:00Z'), now, 0.25), true);
  });

  it('is cleaned from the root directory, where its script looks for its settings', () => {
    const sidecar = sidecarOf(scope());
    assert.deepEqual(sidecar.cleanCommands(hostState()), []);
    const there = hostState({ files: [{ path: '/usr/local/bin/istio-start.sh', exists: true }] });
    assert.deepEqual(sidecar.cleanCommands(there), [{ argv: ['env', '-C', '/', '/usr/local/bin/istio-start.sh', 'clean'], asRoot: true }]);
    assert.equal(sidecar.creates.paths.includes('/var/log/istio'), false);
    // istio-start.sh of 1.8 and 1.9 knows no `clean`: it starts the agent, whatever the word.
    const cleaner = (version: string) =>
      sidecar.cleanCommands({ ...there, packages: [{ name: 'istio-sidecar', version, status: 'install ok installed' }] })[0]?.argv.slice(3);
    assert.deepEqual(cleaner('1.9.9'), ['/usr/local/bin/pilot-agent', 'istio-clean-iptables']);
    assert.deepEqual(cleaner('1.10.0'), ['/usr/local/bin/istio-start.sh', 'clean']);
  });

  it('is told apart from istiod by minor releases', () => {
    const note = (version: string): string | undefined => {
      const [first] = skewNotes(
        hostState({ packages: [{ name: 'istio-sidecar', version, status: 'install ok installed' }] }),
        undefined,
        '1.31.0',
      );
      return first?.kind === 'note' ? first.text.id : undefined;
    };
    assert.deepEqual(['1.32.0', '1.31.4', '1.30.0', '1.29.9'].map(note), ['istiod.skew.ahead', undefined, undefined, 'istiod.skew.behind']);
  });
});

describe('the root certificate on a machine', () => {
  const pem = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`;
  const file = textFile('/etc/certs/root-cert.pem', `${pem('QUJD')}\n`, { owner: 'istio-proxy', group: 'istio-proxy' });
  const kept = (text: string, mode = 0o600) =>
    asAgentKeepsIt(
      file,
      hostState({ files: [{ path: file.path, exists: true, kind: 'file', mode, owner: 'istio-proxy', group: 'root', text }] }),
    );

  it('may be as the agent has written it again', () => {
    const { mode, group: owners, content } = kept(pem('QUJD'));
    assert.deepEqual([mode, owners, content.kind === 'text' && content.text], [0o600, 'root', pem('QUJD')]);
  });

  it('may not be another, one more, none, or one that others can write', () => {
    for (const text of [pem('WFla'), `${pem('QUJD')}\n${pem('WFla')}`, '', 'QUJD']) assert.equal(kept(text), file);
    assert.equal(kept(pem('QUJD'), 0o620), file);
    assert.equal(asAgentKeepsIt(file, undefined), file);
  });
});

describe('the entry of a machine that does not register itself', () => {
  it('has what istiod would give it, and is watched where the group has a probe', () => {
    const { apiVersion, kind, metadata, spec } = explicitEntry(scope({ name: 'db-1' }), {
      ...group,
      probe: { handler: { kind: 'tcpSocket', port: 1 } },
    });
    assert.deepEqual(
      [apiVersion, kind, metadata.name, metadata.namespace, metadata.annotations?.['proxy.istio.io/health-checks-enabled']],
      ['networking.istio.io/v1', 'WorkloadEntry', 'mysql-db-1', 'vm', 'true'],
    );
    assert.deepEqual(spec, { address: '10.1.0.3', labels: { app: 'mysql' }, serviceAccount: 'mysql', ports: { tcp: 3306 } });
    assert.equal(explicitEntry(scope(), group).metadata.annotations?.['proxy.istio.io/health-checks-enabled'], undefined);
  });

  // Istio's ISTIO_META_WORKLOAD_ENTRY is of 1.18: before it nobody writes the health of such an entry, and a marked one without is served to nobody.
  it('is not marked for health that an older istiod does not write, and counts as it stands', async () => {
    const api = world(
      object('WorkloadGroup', 'mysql', 'vm', { apiVersion: 'networking.istio.io/v1alpha3', spec: { probe: { tcpSocket: { port: 1 } } } }),
    );
    const probed = { ...group, probe: { handler: { kind: 'tcpSocket', port: 1 } } } as const;
    const of = (release: string) => vmScope(api, { vm: { autoRegister: false }, controlPlane: { ...PLANE, release } });
    const isWaiting = async (release: string) => {
      const work = { scope: of(release), restarts: new Set() } as unknown as HostWork;
      const ref = { apiVersion: 'v1', kind: 'WorkloadEntry', name: 'mysql-db-1' };
      return (await connectedStep(work, async () => ({ ref, membership: 'connected', automatic: false, vm: 'db-1' })).preview()).needed;
    };
    const marked = (release: string) =>
      explicitEntry(of(release), probed).metadata.annotations?.['proxy.istio.io/health-checks-enabled'] !== undefined;
    assert.deepEqual([marked('1.17.8'), await isWaiting('1.17.8')], [false, false]);
    assert.deepEqual([marked('1.18.0'), await isWaiting('1.18.0')], [true, true]);
  });

  it('goes by the address that others reach the machine by, and is not made without one', () => {
    assert.equal((explicitEntry(scope({ externalAddress: '192.0.2.7' }), group).spec as { address: string }).address, '192.0.2.7');
    assert.throws(() => explicitEntry({ ...scope(), address: undefined }, group), coded('istiod.entry-address'));
  });
});
