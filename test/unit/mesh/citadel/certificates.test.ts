import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { certificateFiles, parseCredentials, readCredentials } from '../../../../src/mesh/citadel/certificates.ts';
import { certificateFacts, keyFacts, parseCertificates, parsePrivateKey } from '../../../../src/mesh/pem.ts';
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

  it('takes what the scripts take: they read the data of a Secret, not its type', () => {
    assert.ok(parseCredentials(secret(good, { type: 'Opaque' }), identity, NOW));
  });

  it('refuses an empty key', () => refuses('empty', good, { data: { 'key.pem': '' } }));
  it('refuses what is not base64', () => refuses('base64', good, { data: { 'root-cert.pem': '%%%' } }));
  it('refuses a text that is no PEM', () => refuses('pem', good, { data: { 'cert-chain.pem': Buffer.from('hello').toString('base64') } }));
  it('refuses a half-written key', () => refuses('pem', { ...good, key: good.key.slice(0, 200) }));
  it('refuses the key of another certificate', () => refuses('key', { ...good, key: other.key }));
  it('refuses the root of another mesh', () => refuses('chain', { ...good, root: other.root }));
  it('refuses a root of the same name whose key did not sign, also where no key identifier tells', () => {
    const [one, two] = [makeCertificates({ anonymous: true }), makeCertificates({ anonymous: true })];
    assert.ok(parseCredentials(secret(one), identity, NOW).leaf.checkIssued(parseCertificates(two.root)[0]!));
    refuses('chain', { ...one, root: two.root });
  });

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
    // A dump without namespaces and service accounts does not say that these two are missing.
    await assert.rejects(readCredentials(api, identity, NOW), coded('citadel.secret-missing'));
    api.put({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'other', namespace: 'other' } });
    await assert.rejects(readCredentials(api, identity, NOW), coded('citadel.account-missing'));
    api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } });
    await assert.rejects(readCredentials(api, identity, NOW), coded('citadel.namespace-missing'));
    api.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'vm' } });
    await assert.rejects(readCredentials(api, identity, NOW), coded('citadel.account-missing'));
    api.put({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'vm' } });
    await assert.rejects(readCredentials(api, identity, NOW), coded('citadel.secret-missing'));
  });

  describe('on a VM', () => {
    const facts = releaseFacts('1.0.3')!;
    const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

    interface OnHost {
      readonly made?: TestCertificates;
      readonly key?: string;
      readonly root?: string;
      readonly pushed?: TestCertificates;
    }

    function accepted({ made, key, root = good.root, pushed }: OnHost, later = 0): unknown {
      const own = made ?? makeCertificates();
      const leaf = parseCertificates(own.chain)[0]!;
      const shown = certificateFacts(leaf);
      const file = { mode: 0o644, owner: 'istio-proxy', group: 'root', time: '', original: 'absent' } as const;
      const manifest = {
        version: 1,
        owner: { vm: '', cluster: '', era: '', release: '' },
        generation: 1,
        files: [
          { ...file, path: '/etc/certs/cert-chain.pem', sha256: hash(pushed?.chain ?? '') },
          { ...file, path: '/etc/certs/key.pem', sha256: hash(pushed?.key ?? '') },
        ],
        packages: [],
        units: [],
        created: { paths: [], users: [], groups: [] },
      } as const;
      const state: HostState = {
        files: [
          { path: '/etc/certs/root-cert.pem', exists: true, sha256: hash(root) },
          { path: '/etc/certs/cert-chain.pem', exists: true, sha256: hash(own.chain), certificate: shown },
          {
            path: '/etc/certs/key.pem',
            exists: true,
            sha256: hash(key ?? own.key),
            certificate: keyFacts(parsePrivateKey(key ?? own.key), leaf),
          },
        ],
        units: [],
        packages: [],
        programs: {},
        manifest,
      };
      const now = new Date(NOW.getTime() + later * 86_400_000);
      const files = certificateFiles(facts, parseCredentials(secret(good), identity, NOW), now, state);
      return files.filter(({ accepts }) => accepts !== undefined).map(({ path }) => path);
    }

    const both = ['/etc/certs/cert-chain.pem', '/etc/certs/key.pem'];

    it('are left where the node agent keeps them fresh, older than the secret or newer', () => {
      assert.deepEqual(accepted({ made: makeCertificates({ from: 0, to: 80 }) }), both);
      assert.deepEqual(accepted({ made: makeCertificates({ from: -40, to: 50 }) }), both);
    });

    it('are pushed over where nobody renews them', () => {
      assert.deepEqual(accepted({ made: makeCertificates({ from: -80, to: 10 }) }), []);
      assert.deepEqual(accepted({ made: makeCertificates({ from: -80, to: 10 }) }, 20), []);
    });

    it('are pushed over where they are of another root or identity', () => {
      assert.deepEqual(accepted({ root: other.root }), []);
      assert.deepEqual(accepted({ made: makeCertificates({ uri: 'spiffe://cluster.local/ns/other/sa/default' }) }), []);
    });

    it('are pushed over where key and chain were not changed together', () => {
      const own = makeCertificates();
      assert.deepEqual(accepted({ made: own, key: good.key }), []);
      assert.deepEqual(accepted({ made: own, pushed: { ...own, chain: '' } }), []);
      // Both are new here, and the key is another one's.
      assert.deepEqual(accepted({ made: own, key: other.key }), []);
      // What an earlier push left is not the node agent's.
      assert.deepEqual(accepted({ made: own, pushed: own }), []);
    });
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
