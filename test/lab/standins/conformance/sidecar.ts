// The packaged sidecar on a machine (citadel facts 4 and 7): the guide's last check passes only through it.
import assert from 'node:assert/strict';
import { ADMIN_USER } from '../../ssh.ts';
import { prepareMachine, restoreFiles } from './mesh.ts';
import type { LabOf } from './support.ts';
import { asRoot, eventually, get, MACHINE } from './support.ts';

const PRODUCTPAGE = 'productpage.bookinfo.svc.cluster.local:9080';

export function sidecarCases(labOf: LabOf, deb: () => string): void {
  /** Status line, `server` header and whether the page came, asked by the login user or by root; `none` without an answer. */
  const productpage = async (as: 'user' | 'root' = 'user', seconds = 1) => {
    const user = as === 'root' ? 'root' : ADMIN_USER;
    const ask = ['runuser', '-u', user, '--', 'curl', '-sSi', '--max-time', String(seconds), PRODUCTPAGE] as const;
    const { stdout, code } = await labOf().onMachine(MACHINE, ask, { tolerant: true });
    if (code !== 0) return 'none';
    return `${/^HTTP\/1\.1 (\d+)/.exec(stdout)?.[1]} ${/^server: (.*?)\r?$/m.exec(stdout)?.[1]} ${stdout.includes('<title>Simple Bookstore App</title>')}`;
  };
  const settings = (cluster: string, sidecar = '') =>
    `printf '%b' '${cluster}' > /var/lib/istio/envoy/cluster.env; printf '%b' '${sidecar}' > /var/lib/istio/envoy/sidecar.env`;
  /** Runs the script as root, restarts istio, and waits for productpage. */
  const works = async (script = 'true') => {
    await asRoot(labOf(), `${script}\nsystemctl restart istio`);
    await eventually('productpage through the sidecar', async () => (await productpage()) === '200 envoy true');
  };
  /** The same, and no answer after the time in which an Envoy that would work has come up. */
  const fails = async (script: string) => {
    await asRoot(labOf(), `${script}\nsystemctl restart istio; sleep 1.5`);
    assert.equal(await productpage(), 'none');
  };

  describe('the sidecar', () => {
    before(() => prepareMachine(labOf(), deb()));
    afterEach(() => restoreFiles(labOf()));

    it('without it, names resolve and productpage does not answer', async () => {
      const found = await labOf().ssh(MACHINE, ['host', '-t', 'A', PRODUCTPAGE.replace(/:.*/, '')]);
      assert.match(found.stdout, /has address 10\.96\./);
      assert.equal(await productpage(), 'none');
    });

    it('with it, productpage answers an ordinary user, as Envoy; root is not captured', async () => {
      await works();
      assert.equal(await productpage('root'), 'none');
    });

    it('looks like the real one in ps and iptables', async () => {
      await works();
      const address = await asRoot(labOf(), 'hostname --ip-address');
      const processes = await asRoot(labOf(), 'ps -eo user:12,args');
      assert.match(
        processes,
        new RegExp(
          `^root +su -s /bin/bash -c INSTANCE_IP=${address} POD_NAME=${MACHINE} POD_NAMESPACE=default exec /usr/local/bin/pilot-agent proxy .* istio-proxy$`,
          'm',
        ),
      );
      assert.match(
        processes,
        /^istio-proxy +\/usr\/local\/bin\/pilot-agent proxy --serviceCluster rawvm --discoveryAddress istio-pilot\.istio-system:15011 --controlPlaneAuthPolicy MUTUAL_TLS$/m,
      );
      assert.match(
        processes,
        new RegExp(
          `^istio-proxy +/usr/local/bin/envoy -c /etc/istio/proxy/envoy-rev\\d+\\.json --restart-epoch \\d+ --drain-time-s 2 --parent-shutdown-time-s 3 --service-cluster rawvm --service-node sidecar~${address}~${MACHINE}\\.default~default\\.svc\\.cluster\\.local`,
          'm',
        ),
      );
      const rules = (await asRoot(labOf(), 'iptables -t nat -S')).split('\n');
      const uid = await asRoot(labOf(), 'id -u istio-proxy');
      for (const rule of [
        '-A OUTPUT -p tcp -j ISTIO_OUTPUT',
        `-A ISTIO_OUTPUT -m owner --uid-owner ${uid} -j RETURN`,
        '-A ISTIO_OUTPUT -m owner --uid-owner 0 -j RETURN',
        '-A ISTIO_OUTPUT -d 10.96.0.0/16 -j ISTIO_REDIRECT',
        '-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001',
      ]) {
        assert.ok(rules.includes(rule), `${rule} in\n${rules.join('\n')}`);
      }
      assert.ok(!rules.some((rule) => rule.includes('ISTIO_INBOUND')));
    });

    it('stopped, productpage does not answer; started again, it does', async () => {
      await works();
      await asRoot(labOf(), 'systemctl stop istio');
      assert.equal(await productpage(), 'none');
      assert.equal(await asRoot(labOf(), 'pgrep -c -u istio-proxy "envoy|pilot-agent" || true'), '0');
      await works();
    });

    it('needs cluster.env: missing, empty or of another range, nothing is captured', async () => {
      await fails('rm /var/lib/istio/envoy/cluster.env');
      assert.equal(await asRoot(labOf(), 'systemctl is-active istio'), 'active');
      for (const cidr of ['', '10.63.240.0/20']) await fails(settings(`ISTIO_SERVICE_CIDR=${cidr}\\n`));
    });

    it('with an invalid range it does not start, and starts again and again', async () => {
      await asRoot(labOf(), `${settings('ISTIO_SERVICE_CIDR=10.96.0.0/99\\n')}\nsystemctl restart istio`, true);
      const state = 'systemctl show -p ActiveState -p SubState istio | sort | paste -sd" "';
      await eventually(
        'the wait before the next try',
        async () => (await asRoot(labOf(), state)) === 'ActiveState=activating SubState=auto-restart',
      );
      const journal = 'journalctl -q -u istio -n 60 -o cat --no-pager';
      await eventually('the reason', async () => (await asRoot(labOf(), journal)).includes("invalid mask `99' specified"));
      assert.equal(await productpage(), 'none');
    });

    it('takes several ranges, and the defaults where cluster.env has one line', async () => {
      await works(settings('ISTIO_SERVICE_CIDR=10.63.240.0/20,10.96.0.0/16\\n'));
    });

    it('finds Pilot by ISTIO_SYSTEM_NAMESPACE', async () => {
      await fails(settings('ISTIO_SERVICE_CIDR=10.96.0.0/16\\nISTIO_SYSTEM_NAMESPACE=nowhere\\n'));
      const reason = /gRPC config stream closed: 14, .*lookup istio-pilot\.nowhere/;
      await eventually('the reason', async () => reason.test(await asRoot(labOf(), 'cat /var/log/istio/istio.err.log')));
    });

    it('uses 15010 without certificates when ISTIO_CP_AUTH is NONE; in both files, cluster.env wins', async () => {
      await works(
        'rm /etc/certs/*.pem\n' + settings('ISTIO_SERVICE_CIDR=10.96.0.0/16\\nISTIO_CP_AUTH=NONE\\n', 'ISTIO_CP_AUTH=MUTUAL_TLS\\n'),
      );
    });

    it('says which file Envoy cannot use', async () => {
      const cases: readonly (readonly [string, RegExp])[] = [
        ['rm /etc/certs/root-cert.pem', /critical.*Invalid path: \/etc\/certs\/root-cert\.pem/],
        ['chown root /etc/certs/key.pem', /critical.*unable to read file: \/etc\/certs\/key\.pem/],
        ['cp broken/key.pem /etc/certs/key.pem', /critical.*Failed to load private key from \/etc\/certs\/key\.pem/],
        ['cp broken/root-cert.pem /etc/certs/root-cert.pem', /warning.*gRPC config stream closed: 14, .*CERTIFICATE_VERIFY_FAILED/],
        ['cp broken/cert-chain.pem /etc/certs/cert-chain.pem', /warning.*gRPC config stream closed: 14, /],
      ];
      for (const [damage, reason] of cases) {
        await restoreFiles(labOf(), `${damage}; systemctl restart istio`);
        await eventually(String(reason), async () => reason.test(await asRoot(labOf(), 'cat /var/log/istio/istio.err.log')));
        assert.equal(await asRoot(labOf(), 'ss -Hltn "sport = :15001"'), '', damage);
        assert.equal(await asRoot(labOf(), 'systemctl is-active istio'), 'active', damage);
      }
    });

    it('starts a new epoch when the certificates change, without a gap', async () => {
      await works();
      await asRoot(labOf(), 'echo >> /etc/certs/cert-chain.pem');
      await eventually('epoch 1', async () => (await asRoot(labOf(), 'ps -eo args')).includes('--restart-epoch 1 '), 30_000);
      // A gap is a refusal; where other tests take the processors an answer takes its time.
      for (let count = 0; count < 10; count++) assert.equal(await productpage('user', 10), '200 envoy true');
    });

    it('passes captured inbound connections to the application: here dnsmasq, over TCP', async () => {
      const address = labOf().machine(MACHINE).address;
      const ask = async () =>
        (
          await labOf().inCluster(['host', '-T', '-W', '5', '-R', '1', '-t', 'A', 'istio-pilot.istio-system', address], { tolerant: true })
        ).stdout.includes('has address');
      await works(settings('ISTIO_SERVICE_CIDR=10.96.0.0/16\\n', 'ISTIO_INBOUND_PORTS=53,3306\\n'));
      const rules = await asRoot(labOf(), 'iptables -t nat -S');
      assert.match(rules, /-A ISTIO_INBOUND -p tcp -m tcp --dport 53 -j ISTIO_IN_REDIRECT/);
      assert.match(rules, /-A ISTIO_INBOUND -p tcp -m tcp --dport 3306 -j ISTIO_IN_REDIRECT/);
      assert.equal(await ask(), true);
      await asRoot(labOf(), 'systemctl stop istio');
      assert.equal(await ask(), false);
      await asRoot(labOf(), 'istio-iptables.sh clean');
      assert.equal(await ask(), true);
    });

    it('shows Pilot which sidecars are connected', async () => {
      await works();
      const connected = JSON.parse(await get(`http://${labOf().addresses.pods.pilot}:8080/debug/adsz`)) as { proxy: string }[];
      assert.ok(
        connected.some(({ proxy }) => new RegExp(`^sidecar~[0-9.]+~${MACHINE}\\.default~default\\.svc\\.cluster\\.local$`).test(proxy)),
      );
    });
  });
}
