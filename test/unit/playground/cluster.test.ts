import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isMeshError } from '../../../src/mesh/errors.ts';
import type { ClusterApi, KubeObject, WatchEvent } from '../../../src/mesh/ports.ts';
import { addressOf, balancer, BALANCERS, moments, world } from './world.ts';

const service = (name: string, namespace = 'istio-system') => ({ apiVersion: 'v1', kind: 'Service', name, namespace });
const hasCode = (code: string) => (error: unknown) => isMeshError(error, code);

async function secretFiles(api: ClusterApi, namespace: string): Promise<{ directory: string; files: Record<string, string> }> {
  const secret = await api.get({ apiVersion: 'v1', kind: 'Secret', namespace, name: 'istio.default' });
  const directory = mkdtempSync(path.join(os.tmpdir(), 'playground-'));
  const files: Record<string, string> = {};
  for (const [name, data] of Object.entries(secret!.data as Record<string, string>))
    writeFileSync((files[name] = path.join(directory, name)), Buffer.from(data, 'base64'));
  return { directory, files };
}

describe('playground cluster', function () {
  // Whoever comes first makes the keys.
  this.timeout(60_000);

  it('holds secrets that openssl takes for what Citadel makes (citadel facts 10)', async () => {
    const { api } = await world();
    const { directory, files } = await secretFiles(api, 'vm');
    try {
      const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      const text = openssl('x509', '-in', files['cert-chain.pem']!, '-noout', '-text', '-subject', '-issuer');
      assert.match(text, /X509v3 Subject Alternative Name: critical\s+URI:spiffe:\/\/cluster\.local\/ns\/vm\/sa\/default/);
      assert.match(text, /issuer=O ?= ?cluster\.local/);
      assert.match(text, /subject=\s*$/m);
      assert.match(openssl('verify', '-attime', '1767400000', '-CAfile', files['root-cert.pem']!, files['cert-chain.pem']!), /: OK/);
      assert.match(openssl('rsa', '-in', files['key.pem']!, '-noout', '-text'), /2048 bit/);
      assert.equal(
        openssl('rsa', '-in', files['key.pem']!, '-pubout'),
        openssl('x509', '-in', files['cert-chain.pem']!, '-noout', '-pubkey'),
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('makes a deleted secret again, and one for a new service account', async () => {
    const { api } = await world();
    const secret = { apiVersion: 'v1', kind: 'Secret', namespace: 'vm', name: 'istio.default' };
    const before = await api.get(secret);
    await api.delete(secret);
    await api.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'db', namespace: 'vm' } });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.notEqual((await api.get(secret))?.metadata.uid, before?.metadata.uid);
    assert.ok(await api.get({ ...secret, name: 'istio.db' }));
  });

  it('gives an internal balancer an internal address, after an event; without the annotation a public one', async () => {
    const { api } = await world();
    const pending = await api.apply(BALANCERS[0]!);
    assert.deepEqual(pending.object.status, { loadBalancer: {} });
    await moments();
    assert.match(addressOf(await api.get(service('istio-pilot-ilb'))), /^10\.150\.0\.\d+$/);
    const events = await api.list({
      apiVersion: 'v1',
      kind: 'Event',
      namespace: 'istio-system',
      fieldSelector: 'involvedObject.name=istio-pilot-ilb',
    });
    assert.deepEqual(
      events.map((event) => event.reason),
      ['EnsuringLoadBalancer', 'EnsuredLoadBalancer'],
    );
    await api.apply(balancer('open', 'istio-system', { istio: 'pilot' }, [{ port: 80 }], false));
    await moments();
    assert.match(addressOf(await api.get(service('open'))), /^203\.0\.113\.\d+$/);
  });

  it('changes nothing on a second apply, and takes away what is no longer applied', async () => {
    const { api } = await world();
    const first = await api.apply(BALANCERS[0]!);
    await moments();
    const given = await api.get(service('istio-pilot-ilb'));
    const second = await api.apply(BALANCERS[0]!);
    assert.equal(first.changed, true);
    assert.equal(second.changed, false);
    assert.equal(second.object.metadata.resourceVersion, given?.metadata.resourceVersion);
    const third = await api.apply(balancer('istio-pilot-ilb', 'istio-system', { istio: 'pilot' }, [{ name: 'http-pilot', port: 8080 }]));
    assert.deepEqual(
      (third.object.spec as { ports: { port: number }[] }).ports.map(({ port }) => port),
      [8080],
    );
    assert.equal(addressOf(third.object), addressOf(given));
  });

  it('refuses a stale resourceVersion, a second create and an invalid object, and says which field', async () => {
    const { api } = await world();
    const { object } = await api.apply(BALANCERS[0]!);
    await moments();
    await assert.rejects(
      api.replace({ ...object, spec: { ...(object.spec as object), sessionAffinity: 'ClientIP' } }),
      hasCode('kube.conflict'),
    );
    await assert.rejects(api.create(BALANCERS[0]!), hasCode('kube.conflict'));
    const twice: KubeObject = balancer('twice', 'onprem', {}, [
      { name: 'http', port: 80 },
      { name: 'http', port: 8080 },
    ]);
    await assert.rejects(
      api.create(twice),
      (error) => isMeshError(error, 'kube.invalid') && String(error.userMessage.args.problem).includes('spec.ports[1].name: Duplicate'),
    );
    await assert.rejects(api.create(balancer('none', 'absent', {}, [{ port: 80 }])), hasCode('kube.not-found'));
    const loopback: KubeObject = {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'x', namespace: 'onprem' },
      subsets: [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ port: 80 }] }],
    };
    await assert.rejects(api.create(loopback), hasCode('kube.invalid'));
  });

  it('leaves the cluster as it was on a dry run', async () => {
    const { api } = await world();
    const answer = await api.apply(BALANCERS[0]!, { dryRun: true });
    assert.equal(answer.changed, true);
    assert.equal(await api.get(service('istio-pilot-ilb')), undefined);
  });

  it('names what the user may not do, and refuses it', async () => {
    const { api } = await world({ denied: ['services'] });
    const answers = await api.can([
      { verb: 'create', group: '', resource: 'services', namespace: 'istio-system' },
      { verb: 'list', group: '', resource: 'services' },
      { verb: 'create', group: '', resource: 'endpoints' },
    ]);
    assert.deepEqual(
      answers.map(({ allowed }) => allowed),
      [false, true, true],
    );
    await assert.rejects(api.apply(BALANCERS[0]!), hasCode('kube.forbidden'));
  });

  it('tells a watcher what is there, what changes and what goes; Endpoints go with their Service', async () => {
    const { api } = await world();
    const seen: string[] = [];
    const stop = new AbortController();
    const watching = api.watch(
      { apiVersion: 'v1', kind: 'Endpoints', namespace: 'onprem' },
      ({ type, object }: WatchEvent) => seen.push(`${type} ${object.metadata.name}`),
      { signal: stop.signal },
    );
    await moments();
    await api.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'mysql', namespace: 'onprem' },
      spec: { ports: [{ port: 3306 }] },
    });
    await api.create({
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'mysql', namespace: 'onprem' },
      subsets: [{ addresses: [{ ip: '10.150.0.101' }, { ip: '10.150.0.101' }], ports: [{ port: 3306 }] }],
    });
    const stored = await api.get({ apiVersion: 'v1', kind: 'Endpoints', namespace: 'onprem', name: 'mysql' });
    assert.deepEqual((stored!.subsets as { addresses: unknown[] }[])[0]!.addresses, [{ ip: '10.150.0.101' }]);
    await api.delete(service('mysql', 'onprem'));
    assert.deepEqual(seen, ['ADDED mysql', 'DELETED mysql']);
    stop.abort();
    await watching;
  });
});
