import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { certificateFiles, parseCredentials, readCredentials } from '../../../../src/mesh/citadel/certificates.ts';
import { certificateFacts, parseCertificates } from '../../../../src/mesh/citadel/pem.ts';
import { releaseFacts } from '../../../../src/mesh/citadel/releases.ts';
import type { HostState } from '../../../../src/mesh/ports.ts';
import { MemoryCluster } from '../../support/memoryCluster.ts';
import { coded, makeCertificates, NOW, secret, type TestCertificates } from './support.ts';

const identity = { namespace: 'vm', serviceAccount: 'default' };

describe('citadel certificates', function () {
  this.timeout(60_000);
  let good: TestCertificates;
  let other: TestCertificates;
  before(() => {
    good = makeCertificates();
    other = makeCertificates();
  });
  const refuses = (rule: string, ...args: Parameters<typeof secret>): void => {
    assert.throws(
      () => parseCredentials(secret(...args), identity, NOW),
      coded('citadel.secret-invalid', `citadel.secret-invalid.${rule}`),
    );
  };

  it('accepts what Citadel writes', () => {
    const { leaf } = parseCredentials(secret(good), identity, NOW);
    assert.deepEqual(certificateFacts(leaf).uris, ['spiffe://cluster.local/ns/vm/sa/default']);
  });

  it('refuses another type', () => refuses('type', good, { type: 'Opaque' }));
  it('refuses an empty key', () => refuses('empty', good, { data: { 'key.pem': '' } }));
  it('refuses what is not base64', () => refuses('base64', good, { data: { 'root-cert.pem': '%%%' } }));
  it('refuses a text that is no PEM', () => refuses('pem', good, { data: { 'cert-chain.pem': Buffer.from('hello').toString('base64') } }));
  it('refuses a half-written key', () => refuses('pem', { ...good, key: good.key.slice(0, 200) }));
  it('refuses the key of another certificate', () => refuses('key', { ...good, key: other.key }));
  it('refuses the root of another mesh', () => refuses('chain', { ...good, root: other.root }));

  it('refuses another identity, and a longer one that ends the same', () => {
    refuses('identity', makeCertificates({ uri: 'spiffe://cluster.local/ns/other/sa/default' }));
    refuses('identity', makeCertificates({ uri: 'spiffe://cluster.local/evil/ns/vm/sa/default' }));
  });

  it('refuses one that is over, or not yet begun', () => {
    refuses('expired', makeCertificates({ from: -30, to: -1 }));
    refuses('not-yet', makeCertificates({ from: 2, to: 30 }));
    refuses('root-expired', makeCertificates({ rootTo: -1 }));
  });

  it('says whether namespace, account or secret is missing', async () => {
    const api = new MemoryCluster();
    await assert.rejects(readCredentials(api, identity, NOW), coded('citadel.namespace-missing'));
    api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'vm' } });
    await assert.rejects(readCredentials(api, identity, NOW), coded('citadel.account-missing'));
    api.put({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'vm' } });
    await assert.rejects(readCredentials(api, identity, NOW), coded('citadel.secret-missing'));
  });

  it('leaves a certificate that the node agent renewed', () => {
    const facts = releaseFacts('1.0.3')!;
    const credentials = parseCredentials(secret(good), identity, NOW);
    const renewed = parseCertificates(makeCertificates({ from: 0, to: 1 }).chain)[0]!;
    const onHost = (certificate = renewed): HostState => ({
      files: [
        { path: '/etc/certs/cert-chain.pem', exists: true, sha256: 'aa', certificate: certificateFacts(certificate) },
        { path: '/etc/certs/key.pem', exists: true, sha256: 'bb' },
      ],
      units: [],
      packages: [],
      programs: {},
    });
    const accepted = (state: HostState): unknown =>
      certificateFiles(facts, credentials, new Date(NOW.getTime() + 1000), state).map(({ accepts }) => accepts);
    assert.deepEqual(accepted(onHost()), [undefined, ['aa'], ['bb']]);
    // An older one, or one that is over, is pushed over.
    assert.deepEqual(accepted(onHost(parseCertificates(makeCertificates({ from: -20, to: 60 }).chain)[0])), [
      undefined,
      undefined,
      undefined,
    ]);
    assert.deepEqual(
      certificateFiles(facts, credentials, new Date(NOW.getTime() + 2 * 86_400_000), onHost()).map(({ accepts }) => accepts),
      [undefined, undefined, undefined],
    );
  });

  it('carries the bytes of the secret', () => {
    const files = certificateFiles(releaseFacts('1.0.3')!, parseCredentials(secret(good), identity, NOW), NOW, undefined);
    const hash = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    assert.deepEqual(
      files.map(({ content }) => (content.kind === 'secret' ? hash(content.secret.reveal()) : '')),
      [hash(good.root), hash(good.chain), hash(good.key)],
    );
  });
});
