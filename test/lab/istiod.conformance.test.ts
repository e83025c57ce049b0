// The lab with istiod, asked with kubectl, istioctl, dpkg, curl, openssl and ssh alone: a real control plane, a real gateway and real sidecars, as Istio's guide has them.
import assert from 'node:assert/strict';
import { echoAnswer, runEcho, stopEcho } from './echo.ts';
import type { Lab } from './env.ts';
import { istiodLab } from './env.ts';
import { restartIstiod, stopIstiod, startIstiod } from './istiodControl.ts';
import type { GroupByHand } from './support/istiodGuide.ts';
import {
  applyGroup,
  connectionEnds,
  entriesOf,
  eventually,
  exposeIstiod,
  gatewayAddress,
  healthOf,
  hideIstiod,
  installPackage,
  isConnected,
  joinByHand,
} from './support/istiodGuide.ts';
import { applyStrictMtls, plaintext } from './support/strictMtls.ts';
import { run } from './toolchain/run.ts';

const PORT = 3306;
const MYSQL: GroupByHand = {
  name: 'mysql',
  namespace: 'vm',
  ports: { mysql: PORT },
  probe: { periodSeconds: 1, httpGet: { path: '/healthz', port: PORT } },
};
const CLIENT: GroupByHand = { name: 'client', namespace: 'vm' };
const PAGE = 'http://productpage.bookinfo.svc.cluster.local:9080/';
const SERVICE = `http://mysql.vm.svc.cluster.local:${PORT}/`;

describe('the lab with istiod', function () {
  this.timeout(120_000);
  let lab: Lab;

  before(async () => {
    lab = await istiodLab();
  });

  const machine = (name: string, ...argv: [string, ...string[]]) => lab.onMachine(name, argv, { tolerant: true });
  const curl = (name: string, url: string) => machine(name, 'curl', '-sS', '-i', '--max-time', '5', url);
  const jsonpath = async (path: string, ...argv: string[]) => (await lab.kubectl(['get', ...argv, '-o', `jsonpath=${path}`])).stdout;
  // Whether the handshake succeeds from a machine, with the name that an agent asks for, checked against the mesh's root certificate.
  const handshake = async (address: string) => {
    const root = await jsonpath(String.raw`{.data.root-cert\.pem}`, '-n', 'vm', 'configmap', 'istio-ca-root-cert');
    const options = '-servername istiod.istio-system.svc -verify_hostname istiod.istio-system.svc -verify_return_error';
    const script = `cat >/tmp/root.pem; timeout 3 openssl s_client -connect "$1" ${options} -CAfile /tmp/root.pem </dev/null 2>&1; rm /tmp/root.pem`;
    const { stdout } = await lab.onMachine('vm-1', ['sh', '-c', script, 'sh', address], { input: root, tolerant: true });
    return stdout.includes('BEGIN CERTIFICATE') && stdout.includes('Verify return code: 0 (ok)');
  };

  describe('the cluster', () => {
    it('shows istiod as an installed one shows', async () => {
      const labels = '{.metadata.labels.app} {.metadata.labels.istio} {.metadata.labels.istio\\.io/rev}';
      const image = '{.spec.template.spec.containers[0].image}';
      assert.equal(
        await jsonpath(`${labels} ${image}`, '-n', 'istio-system', 'deployment', 'istiod'),
        'istiod pilot default docker.io/istio/pilot:1.31.0',
      );
      assert.equal(await jsonpath('{.status.readyReplicas}', '-n', 'istio-system', 'deployment', 'istiod'), '1');
      const tag = await jsonpath('{.metadata.labels.istio\\.io/rev}', 'mutatingwebhookconfiguration', 'istio-revision-tag-default');
      assert.equal(tag, 'default');
      const endpoints = await jsonpath(
        '{.items[*].endpoints[*].addresses[*]}',
        '-n',
        'istio-system',
        'endpointslices',
        '-l',
        'kubernetes.io/service-name=istiod',
      );
      assert.equal(endpoints, lab.addresses.pods.istiod);
    });

    it('does not expose istiod before somebody does, and the gateway lives', async () => {
      const address = await gatewayAddress(lab);
      const ready = await curl('vm-1', `http://${address}:15021/healthz/ready`);
      assert.match(ready.stdout, /^HTTP\/1\.1 200/);
      assert.equal(await connectionEnds(address, 15012), 7);
      assert.equal((await machine('vm-1', 'curl', '-sS', '--max-time', '2', `telnet://${address}:15012`)).code, 7);
    });

    it('exposes it through Gateway and VirtualService, end to end, and hides it again', async () => {
      const address = await gatewayAddress(lab);
      await exposeIstiod(lab);
      await eventually("istiod's certificate", () => handshake(`${address}:15012`));
      await hideIstiod(lab);
      await exposeIstiod(lab);
    });
  });

  describe('a machine that joins by hand', () => {
    before(async () => {
      await applyGroup(lab, MYSQL);
      await runEcho(lab, 'vm-1', PORT);
    });

    it('has no entry before it starts, and one with connectedAt after', async () => {
      assert.deepEqual(await entriesOf(lab, MYSQL), []);
      await joinByHand(lab, 'vm-1', MYSQL);
      await eventually('a connected entry', () => isConnected(lab, MYSQL), 30_000);
      const [entry] = await entriesOf(lab, MYSQL);
      assert.equal(entry?.spec.address, lab.machine('vm-1').address);
      assert.equal(entry.metadata.labels?.app, 'mysql');
    });

    it('turns healthy, unhealthy with its application, and healthy again', async () => {
      const turns = (to: string) => eventually(`Healthy=${to}`, async () => (await healthOf(lab, MYSQL)) === to, 40_000);
      await turns('True');
      await runEcho(lab, 'vm-1', PORT, { health: 503 });
      await turns('False');
      await stopEcho(lab, 'vm-1', PORT);
      await runEcho(lab, 'vm-1', PORT);
      await turns('True');
    });

    it('reaches productpage by its mesh name, through Envoy', async () => {
      const answer = await curl('vm-1', PAGE);
      assert.match(answer.stdout, /Simple Bookstore App/, answer.stderr);
      assert.match(answer.stdout, /^server: envoy\r$/m);
      // The other one, that has not joined, does not know the name.
      assert.equal((await curl('vm-2', PAGE)).code, 6);
    });

    it('can be reached by ssh all the while', async () => {
      assert.equal((await lab.ssh('vm-1', ['hostname'])).stdout.trim(), 'vm-1');
    });
  });

  describe('two machines', () => {
    before(async () => {
      const service = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'mysql', namespace: 'vm' },
        spec: { selector: { app: 'mysql' }, ports: [{ name: 'http', port: PORT }] },
      };
      await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(service) });
      await applyGroup(lab, CLIENT);
      await joinByHand(lab, 'vm-2', CLIENT);
      await eventually('the second entry', () => isConnected(lab, CLIENT), 30_000);
    });

    it('speak in the names of both under STRICT, and plaintext from outside is refused', async () => {
      assert.equal(echoAnswer((await plaintext(lab, 'vm-1', PORT)).stdout).hostname, 'vm-1');
      await applyStrictMtls(lab);
      await eventually('plaintext being refused', async () => (await plaintext(lab, 'vm-1', PORT)).refused);
      let text = '';
      await eventually('an answer by service name', async () => {
        text = (await machine('vm-2', 'curl', '-sSf', '--max-time', '5', SERVICE)).stdout;
        return text !== '';
      });
      const answer = echoAnswer(text);
      assert.equal(answer.hostname, 'vm-1');
      const [certificate = ''] = answer.headers['X-Forwarded-Client-Cert'] ?? [];
      assert.match(certificate, /^By=spiffe:\/\/cluster\.local\/ns\/vm\/sa\/mysql;/);
      assert.match(certificate, /;URI=spiffe:\/\/cluster\.local\/ns\/vm\/sa\/client$/);
    });

    const connectedAt = async (group: GroupByHand) => (await entriesOf(lab, group))[0]?.metadata.annotations?.['istio.io/connectedAt'];
    /** Does what takes istiod away, and waits until both machines are connected again: an istiod that ends leaves their entries as they are. */
    const backAfter = async (away: () => Promise<void>): Promise<void> => {
      const before = new Map(await Promise.all([CLIENT, MYSQL].map(async (group) => [group, await connectedAt(group)] as const)));
      await away();
      for (const [group, then] of before) {
        const isBack = async () => ![undefined, then].includes(await connectedAt(group));
        await eventually(`a new connectedAt of ${group.name}`, isBack, 60_000);
      }
    };

    it('are back after istiod was away', async () => {
      const gateway = await gatewayAddress(lab);
      await backAfter(async () => {
        await stopIstiod(lab);
        assert.equal(await handshake(`${gateway}:15012`), false);
        // What they were told stays: traffic passes without istiod.
        assert.match((await curl('vm-2', SERVICE)).stdout, /"hostname":"vm-1"/);
        await startIstiod(lab);
      });
    });

    it('are refused long certificates where istiod gives short ones only, and get a short one on asking', async () => {
      const life = async () => {
        const script =
          'openssl x509 -noout -startdate -enddate -in /etc/certs/cert-chain.pem | cut -d= -f2 | while read -r day; do date -d "$day" +%s; done';
        const [from = 0, to = 0] = (await machine('vm-2', 'sh', '-c', script)).stdout.split('\n').map(Number);
        return to - from;
      };
      assert.ok((await life()) > 80_000);
      await restartIstiod(lab, { DEFAULT_WORKLOAD_CERT_TTL: '300s', MAX_WORKLOAD_CERT_TTL: '300s' });
      const anew = 'systemctl stop istio; rm -f /etc/certs/cert-chain.pem /etc/certs/key.pem; systemctl start --no-block istio';
      await machine('vm-2', 'sh', '-c', anew);
      const refused = 'requested TTL 24h0m0s is greater than the max allowed TTL 5m0s';
      const log = async () => (await machine('vm-2', 'cat', '/var/log/istio/istio.err.log', '/var/log/istio/istio.log')).stdout;
      await eventually('the refusal', async () => (await log()).includes(refused), 30_000);
      await machine('vm-2', 'sh', '-c', `echo SECRET_TTL=300s >>/var/lib/istio/envoy/sidecar.env; ${anew}`);
      // istiod dates a certificate two minutes back.
      await eventually('a short certificate', async () => (await life()) === 420, 30_000);
      await backAfter(() => restartIstiod(lab));
    });

    it('leave no entry once stopped', async () => {
      await machine('vm-2', 'systemctl', 'stop', 'istio');
      await eventually('the entry being gone', async () => (await entriesOf(lab, CLIENT)).length === 0, 30_000);
      assert.equal((await entriesOf(lab, MYSQL)).length, 1);
    });
  });

  describe('the package', () => {
    const version = async (name: string) =>
      (await machine(name, 'dpkg-query', '-W', '-f', '${Version} ${db:Status-Status}', 'istio-sidecar')).stdout;

    it('has the programs, the account, and its unit neither enabled nor started', async () => {
      assert.equal(await version('vm-2'), '1.31.0 installed');
      assert.match((await machine('vm-2', '/usr/local/bin/pilot-agent', 'version', '--short')).stdout, /client version: 1\.31\.0/);
      assert.match((await machine('vm-2', '/usr/local/bin/envoy', '--version')).stdout, /\/1\.39\.3\//);
      assert.equal((await machine('vm-2', 'systemctl', 'is-enabled', 'istio')).stdout.trim(), 'disabled');
      assert.match((await machine('vm-2', 'getent', 'passwd', 'istio-proxy')).stdout, /:\/var\/lib\/istio:/);
    });

    it('is upgraded to the newer one, a changed conffile kept', async () => {
      const settings = '/var/lib/istio/envoy/sidecar.env';
      await machine('vm-2', 'sh', '-c', `echo 'ISTIO_AGENT_FLAGS="--log_output_level=default:debug"' >>${settings}`);
      await installPackage(lab, 'vm-2', lab.newerSidecarPackageUrl);
      assert.equal(await version('vm-2'), '1.31.1 installed');
      assert.match((await machine('vm-2', 'tail', '-1', settings)).stdout, /default:debug/);
      assert.match((await machine('vm-2', 'tail', '-1', `${settings}.dpkg-dist`)).stdout, /Istio 1\.31\.1/);
    });

    it('is the same file here as at the release site', async () => {
      const hash = async (from: Promise<{ stdout: string }>) => (await from).stdout.split(' ')[0];
      const served = await hash(machine('vm-2', 'sh', '-c', `curl -sSf ${lab.sidecarPackageUrl} | sha256sum`));
      assert.equal(served, await hash(run(['sha256sum', lab.sidecarPackage])));
    });
  });
});
