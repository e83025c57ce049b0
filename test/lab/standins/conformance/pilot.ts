// Pilot's and Mixer's stand-ins (citadel facts 7 and 10), asked with curl, openssl and kubectl.
import assert from 'node:assert/strict';
import { run } from '../../toolchain/run.ts';
import type { LabOf } from './support.ts';
import { connectionEnds, eventually, fetchMaterial, get, inDirectory } from './support.ts';

interface Registered {
  'service-key': string;
  hosts: { ip_address: string; port: number }[];
}

export function pilotCases(labOf: LabOf): void {
  const pilot = () => labOf().addresses.pods.pilot;
  const registration = async () => JSON.parse(await get(`http://${pilot()}:8080/v1/registration`)) as Registered[];
  const hostsOf = async (key: string) => (await registration()).find((entry) => entry['service-key'] === key)?.hosts;

  describe('Pilot on 8080', () => {
    it('says its release and that it is ready', async () => {
      assert.match(await get(`http://${pilot()}:8080/version`), /^1\.0\.3-[0-9a-z]+-[A-Za-z]+$/);
      await get(`http://${pilot()}:8080/ready`);
    });

    it('lists every service with its endpoints', async () => {
      const { pods } = labOf().addresses;
      await eventually('productpage is listed', async () => (await hostsOf('productpage.bookinfo.svc.cluster.local|http'))?.length === 1);
      assert.deepEqual(await hostsOf('productpage.bookinfo.svc.cluster.local|http'), [{ ip_address: pods.productpage, port: 9080 }]);
      assert.deepEqual(await hostsOf('istio-pilot.istio-system.svc.cluster.local|http-legacy-discovery'), [
        { ip_address: pods.pilot, port: 8080 },
      ]);
      const keys = (await registration()).map((entry) => entry['service-key']);
      assert.deepEqual(keys, keys.toSorted());
    });

    it('follows services and endpoints as they come and go', async () => {
      const key = 'sp.onprem.svc.cluster.local|http';
      await labOf().kubectl(['-n', 'onprem', 'create', 'service', 'clusterip', 'sp', '--tcp=80']);
      await labOf().kubectl([
        '-n',
        'onprem',
        'patch',
        'service',
        'sp',
        '--type=json',
        '-p',
        '[{"op":"remove","path":"/spec/selector"},{"op":"replace","path":"/spec/ports/0/name","value":"http"}]',
      ]);
      await eventually('the service without endpoints', async () => (await hostsOf(key))?.length === 0);
      const endpoints = {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: { name: 'sp', namespace: 'onprem' },
        subsets: [{ addresses: [{ ip: '10.1.0.3' }], ports: [{ name: 'http', port: 80 }] }],
      };
      await labOf().kubectl(['apply', '-f', '-'], { input: JSON.stringify(endpoints) });
      await eventually('its endpoint', async () => (await hostsOf(key))?.length === 1);
      assert.deepEqual(await hostsOf(key), [{ ip_address: '10.1.0.3', port: 80 }]);
      await labOf().kubectl(['-n', 'onprem', 'delete', 'service,endpoints', 'sp', '--ignore-not-found']);
      await eventually('nothing of it', async () => (await hostsOf(key)) === undefined);
    });

    it('knows no route with a key any more', async () => {
      assert.equal(
        await get(`http://${pilot()}:8080/v1/registration/istio-pilot.istio-system.svc.cluster.local%7Chttp-discovery`, 404),
        '404: Page Not Found',
      );
    });

    it('shows its registry, and neither /debug nor edsz without a proxy', async () => {
      const services = JSON.parse(await get(`http://${pilot()}:8080/debug/registryz`)) as { hostname?: string }[];
      assert.ok(services.some(({ hostname }) => hostname === 'productpage.bookinfo.svc.cluster.local'));
      assert.deepEqual(services.at(-1), {});
      const lines = (await get(`http://${pilot()}:8080/debug/endpointz?brief=1`)).split('\n');
      assert.ok(
        lines.some((line) => line.startsWith(`productpage.bookinfo.svc.cluster.local:http 0 ${labOf().addresses.pods.productpage}:9080`)),
      );
      const endpoints = JSON.parse(await get(`http://${pilot()}:8080/debug/endpointz`)) as { svc?: string; ep?: unknown[] }[];
      assert.deepEqual(endpoints.at(-1), {});
      assert.deepEqual(endpoints.find(({ svc }) => svc === 'productpage.bookinfo.svc.cluster.local:http')?.ep?.at(-1), {});
      for (const page of ['endpointShardz', 'syncz', 'adsz']) await get(`http://${pilot()}:8080/debug/${page}`);
      await get(`http://${pilot()}:8080/metrics`);
      await get(`http://${pilot()}:8080/debug`, 404);
      await get(`http://${pilot()}:8080/debug/edsz`, 404);
    });
  });

  describe('Pilot on 15010 and 15011', () => {
    it('speaks plain gRPC on 15010', async () => {
      const answer = await run([
        'curl',
        '-sS',
        '--max-time',
        '5',
        '--http2-prior-knowledge',
        '-o',
        '/dev/null',
        '-w',
        '%{http_version} %{http_code}',
        `http://${pilot()}:15010/`,
      ]);
      assert.equal(answer.stdout, '2 415');
    });

    it("shows Citadel's certificate of its service account on 15011 to those who have one themselves", async () => {
      await inDirectory(async (directory) => {
        const own = await fetchMaterial(labOf(), 'vm', 'default', directory);
        const client = [
          'openssl',
          's_client',
          '-connect',
          `${pilot()}:15011`,
          '-CAfile',
          own.root,
          '-verify_return_error',
          '-alpn',
          'h2',
        ] as const;
        const shown = await run([...client, '-cert', own.chain, '-key', own.key, '-showcerts'], { input: '' });
        assert.match(shown.stdout, /Verify return code: 0 \(ok\)/);
        const names = await run(['openssl', 'x509', '-noout', '-ext', 'subjectAltName'], { input: shown.stdout });
        assert.match(names.stdout, /URI:spiffe:\/\/cluster\.local\/ns\/istio-system\/sa\/istio-pilot-service-account$/m);
        assert.match(shown.stdout, /ALPN protocol: h2/);
      });
    });

    it('refuses on 15011 who has no certificate, or one of another CA', async () => {
      await inDirectory(async (directory) => {
        const own = await fetchMaterial(labOf(), 'vm', 'default', directory);
        const [chain, key] = [`${directory}/other.pem`, `${directory}/other.key`];
        await run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/O=other', '-keyout', key, '-out', chain]);
        const url = `https://istio-pilot.istio-system:15011/`;
        const ask = (...more: string[]) =>
          run(
            [
              'curl',
              '-sS',
              '--max-time',
              '5',
              '--http2',
              '-k',
              '--connect-to',
              `::${pilot()}:`,
              '-o',
              '/dev/null',
              '-w',
              '%{http_code}',
              ...more,
              url,
            ],
            { tolerant: true },
          );
        assert.equal((await ask('--cert', own.chain, '--key', own.key)).stdout, '415');
        assert.equal((await ask()).stdout, '000');
        assert.equal((await ask('--cert', chain, '--key', key)).stdout, '000');
      });
    });
  });

  it('Mixer accepts on 15004 and 9091 and says nothing; nobody is on 9092', async () => {
    const { mixer } = labOf().addresses.pods;
    assert.equal(await connectionEnds(`${mixer}:15004`), 28);
    assert.equal(await connectionEnds(`${mixer}:9091`), 28);
    assert.equal(await connectionEnds(`${mixer}:9092`), 7);
  });
}
