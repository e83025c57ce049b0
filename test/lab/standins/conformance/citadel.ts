// Citadel's stand-in (citadel facts 6 and 10), asked with the API server's answers, openssl and curl.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { run } from '../../toolchain/run.ts';
import { callHandleCsr } from './grpc.ts';
import type { LabOf } from './support.ts';
import { certificate, eventually, fetchMaterial, inDirectory } from './support.ts';

const NAMESPACE = 'vm';

interface Secret {
  type: string;
  metadata: { uid: string; annotations?: Record<string, string> };
  data: Record<string, string>;
}

export function citadelCases(labOf: LabOf): void {
  const secretOf = async (name: string, namespace = NAMESPACE) =>
    (await labOf().find(`/api/v1/namespaces/${namespace}/secrets/${name}`)) as Secret | undefined;

  describe("Citadel's secrets", () => {
    const account = 'robot';

    before(async () => {
      await labOf().kubectl(['-n', NAMESPACE, 'create', 'serviceaccount', account]);
      await eventually('the secret of a new service account', async () => (await secretOf(`istio.${account}`)) !== undefined);
    });

    it('have the type, annotation and keys of the real ones', async () => {
      const secret = await secretOf(`istio.${account}`);
      assert.equal(secret?.type, 'istio.io/key-and-cert');
      assert.equal(secret.metadata.annotations?.['istio.io/service-account.name'], account);
      assert.deepEqual(Object.keys(secret.data).toSorted(), ['cert-chain.pem', 'key.pem', 'root-cert.pem']);
    });

    it('hold a key and a certificate that belong together, for 90 days, for this identity alone', async () => {
      await inDirectory(async (directory) => {
        const { root, chain, key } = await fetchMaterial(labOf(), NAMESPACE, account, directory);
        assert.match(await readFile(key, 'utf8'), /^-----BEGIN RSA PRIVATE KEY-----/);
        assert.match((await run(['openssl', 'rsa', '-in', key, '-noout', '-text'])).stdout, /Private-Key: \(2048 bit/);
        assert.equal((await run(['openssl', 'rsa', '-in', key, '-pubout'])).stdout.trim(), await certificate(chain, '-pubkey'));
        assert.equal((await run(['openssl', 'verify', '-CAfile', root, chain])).stdout.trim(), `${chain}: OK`);
        assert.match(
          await certificate(chain, '-ext', 'subjectAltName'),
          /^X509v3 Subject Alternative Name: critical\s+URI:spiffe:\/\/cluster\.local\/ns\/vm\/sa\/robot$/,
        );
        assert.equal(await certificate(chain, '-subject'), 'subject=');
        assert.equal(await certificate(chain, '-issuer'), 'issuer=O = cluster.local');
        const [from, to] = (await certificate(chain, '-dates')).split('\n').map((line) => Date.parse(line.replace(/^[^=]*=/, '')));
        assert.equal(((to ?? 0) - (from ?? 0)) / 86_400_000, 90);
        assert.match(await certificate(root, '-ext', 'basicConstraints'), /CA:TRUE/);
        const [rootFrom, rootTo] = (await certificate(root, '-dates')).split('\n').map((line) => Date.parse(line.replace(/^[^=]*=/, '')));
        assert.equal(((rootTo ?? 0) - (rootFrom ?? 0)) / 86_400_000, 365);
      });
    });

    it('come back when deleted, with another key', async () => {
      const first = await secretOf(`istio.${account}`);
      await labOf().kubectl(['-n', NAMESPACE, 'delete', 'secret', `istio.${account}`]);
      await eventually(
        'a new secret',
        async () => ((await secretOf(`istio.${account}`))?.metadata.uid ?? first?.metadata.uid) !== first?.metadata.uid,
      );
      assert.notEqual((await secretOf(`istio.${account}`))?.data['key.pem'], first?.data['key.pem']);
    });

    it("are replaced when their root is not the CA's", async () => {
      const root = (await secretOf(`istio.${account}`))?.data['root-cert.pem'];
      await labOf().kubectl(['-n', NAMESPACE, 'patch', 'secret', `istio.${account}`, '-p', '{"data":{"root-cert.pem":"b2xk"}}']);
      await eventually("the CA's root", async () => (await secretOf(`istio.${account}`))?.data['root-cert.pem'] === root);
    });

    it('go with their service account', async () => {
      await labOf().kubectl(['-n', NAMESPACE, 'delete', 'serviceaccount', account]);
      await eventually('no secret', async () => (await secretOf(`istio.${account}`)) === undefined);
    });

    it('come from a CA that is kept in istio-ca-secret', async () => {
      const ca = await secretOf('istio-ca-secret', 'istio-system');
      assert.equal(ca?.type, 'istio.io/ca-root');
      assert.equal(ca.data['ca-cert.pem'], (await secretOf('istio.default'))?.data['root-cert.pem']);
    });
  });

  describe('Citadel on 8060', () => {
    const address = () => labOf().addresses.pods.citadel;

    it('shows a certificate for istio-citadel', async () => {
      await inDirectory(async (directory) => {
        const { root } = await fetchMaterial(labOf(), NAMESPACE, 'default', directory);
        const shown = await run(
          [
            'openssl',
            's_client',
            '-connect',
            `${address()}:8060`,
            '-CAfile',
            root,
            '-verify_hostname',
            'istio-citadel',
            '-verify_return_error',
          ],
          { input: '' },
        );
        assert.match(shown.stdout, /Verify return code: 0 \(ok\)/);
      });
    });

    it("signs a request for the caller's own identity", async () => {
      await inDirectory(async (directory) => {
        const own = await fetchMaterial(labOf(), NAMESPACE, 'default', directory);
        const answer = await callHandleCsr(address(), own, { identity: 'spiffe://cluster.local/ns/vm/sa/default', minutes: 60 }, directory);
        assert.equal(answer.status, '0', answer.message);
        assert.equal((await run(['openssl', 'verify', '-CAfile', own.root, answer.certificate])).code, 0);
        assert.match(
          await certificate(answer.certificate, '-ext', 'subjectAltName'),
          /critical\s+URI:spiffe:\/\/cluster\.local\/ns\/vm\/sa\/default$/,
        );
        const [from, to] = (await certificate(answer.certificate, '-dates'))
          .split('\n')
          .map((line) => Date.parse(line.replace(/^[^=]*=/, '')));
        assert.equal(((to ?? 0) - (from ?? 0)) / 60_000, 60);
      });
    });

    it('refuses another identity, too long a life, and a caller without a certificate', async () => {
      await inDirectory(async (directory) => {
        const own = await fetchMaterial(labOf(), NAMESPACE, 'default', directory);
        const other = await callHandleCsr(
          address(),
          own,
          { identity: 'spiffe://cluster.local/ns/istio-system/sa/default', minutes: 60 },
          directory,
        );
        assert.equal(other.status, '7', other.message);
        const long = await callHandleCsr(
          address(),
          own,
          { identity: 'spiffe://cluster.local/ns/vm/sa/default', minutes: 91 * 24 * 60 },
          directory,
        );
        assert.equal(long.status, '13');
        assert.match(long.message, /requested TTL 2184h0m0s is greater than the max allowed TTL 2160h0m0s/);
        const nobody = await callHandleCsr(
          address(),
          { root: own.root },
          { identity: 'spiffe://cluster.local/ns/vm/sa/default', minutes: 60 },
          directory,
        );
        assert.equal(nobody.status, '16', nobody.message);
      });
    });
  });
}
