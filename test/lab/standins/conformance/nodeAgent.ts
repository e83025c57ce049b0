// The packaged node agent on a machine (citadel facts 6 and 10).
import assert from 'node:assert/strict';
import { prepareMachine, restoreFiles } from './mesh.ts';
import type { LabOf } from './support.ts';
import { asRoot, eventually } from './support.ts';

const UNIT = 'istio-auth-node-agent';
const RENEWING = 'renewing-node-agent';
const RESTARTING = 'activating auto-restart 255';
const ACTIVE = 'active running 0';
const FAILED = String.raw`^\S+Z\terror\tCSR signing failed: rpc error: code = Unavailable `;

// The table of facts 10: what is wrong, what the log says, how the unit is.
const FAULTS: readonly { cause: string; damage: string; says: RegExp; unit: string }[] = [
  {
    cause: 'root-cert.pem missing',
    damage: 'rm /etc/certs/root-cert.pem',
    says: /failed to create onprem client root cert file .*no such file or directory$/m,
    unit: RESTARTING,
  },
  {
    cause: 'key.pem empty',
    damage: ': > /etc/certs/key.pem',
    says: /cannot load key pair: tls: failed to find any PEM data in key input$/m,
    unit: RESTARTING,
  },
  {
    cause: 'key of another certificate',
    damage: 'cat broken/key.pem > /etc/certs/key.pem',
    says: /cannot load key pair: tls: private key does not match public key$/m,
    unit: RESTARTING,
  },
  {
    cause: 'Citadel unreachable',
    damage: 'echo CITADEL_ADDRESS=127.0.0.1:8060 > /var/lib/istio/envoy/sidecar.env',
    says: new RegExp(`${FAILED}.*connect: connection refused". Will retry in 5s$`, 'm'),
    unit: ACTIVE,
  },
  {
    cause: 'istio-citadel does not resolve',
    damage: 'echo CITADEL_ADDRESS=istio-nobody.istio-system.svc.cluster.local:8060 > /var/lib/istio/envoy/sidecar.env',
    says: new RegExp(`${FAILED}.*lookup istio-nobody.istio-system.svc.cluster.local on .*no such host". Will retry in 5s$`, 'm'),
    unit: ACTIVE,
  },
  {
    cause: 'wrong root-cert.pem',
    damage: 'cat broken/root-cert.pem > /etc/certs/root-cert.pem',
    says: new RegExp(
      `${FAILED}.*authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority". Will retry in 5s$`,
      'm',
    ),
    unit: ACTIVE,
  },
  {
    cause: 'own certificate expired',
    damage: 'cat broken/cert-chain.pem > /etc/certs/cert-chain.pem',
    says: new RegExp(`${FAILED}desc = connection closed. Will retry in 5s$`, 'm'),
    unit: ACTIVE,
  },
];

export function nodeAgentCases(labOf: LabOf, deb: () => string): void {
  const unit = async () =>
    (await asRoot(labOf(), `for p in ActiveState SubState ExecMainStatus; do systemctl show --value -p $p ${UNIT}; done`))
      .split('\n')
      .join(' ');
  /** The agent's lines since the unit was restarted now. */
  const restart = async (damage = 'true') => {
    const since = await asRoot(labOf(), `${damage}\ndate +%s.%N; systemctl restart ${UNIT}`);
    return () => asRoot(labOf(), `journalctl -q --no-pager -o cat -t istio-node-agent-start.sh --since @${since}`);
  };

  // Certificates of one minute take half of it to be renewed: done beside the other cases, on files of its own. Resolves to its log until now.
  const renewBeside = async () => {
    const files = await asRoot(labOf(), 'd=$(mktemp -d); cp good/*.pem "$d"; chown -R istio-proxy "$d"; echo "$d"');
    const agent = `/usr/local/bin/node_agent --env onprem --workload-cert-ttl 1m --cert-chain ${files}/cert-chain.pem --key ${files}/key.pem --root-cert ${files}/root-cert.pem`;
    const since = await asRoot(labOf(), `date +%s.%N; systemd-run -q --collect --unit ${RENEWING} -p User=istio-proxy ${agent}`);
    return () => asRoot(labOf(), `journalctl -q --no-pager -o cat --since @${since} _SYSTEMD_UNIT=${RENEWING}.service`);
  };

  describe('the node agent', () => {
    let renewing: () => Promise<string>;
    before(async () => {
      await prepareMachine(labOf(), deb());
      renewing = await renewBeside();
    });
    beforeEach(() => restoreFiles(labOf()));
    after(() => asRoot(labOf(), `systemctl stop ${UNIT}; systemctl stop ${RENEWING} 2>/dev/null || :`));

    it('gets a certificate and replaces key and chain in place', async () => {
      const look = 'stat -c "%i %a %U" /etc/certs/key.pem /etc/certs/cert-chain.pem';
      const serial = 'openssl x509 -in /etc/certs/cert-chain.pem -noout -serial';
      const before = [await asRoot(labOf(), look), await asRoot(labOf(), serial)];
      const log = await restart();
      await eventually('approval', async () => (await log()).includes('CSR is approved'));
      const lines = (await log())
        .split('\n')
        .filter((line) => /^\S+Z\t/.test(line))
        .map((line) => line.split('\t').slice(1).join(' '));
      assert.deepEqual(lines.slice(0, 3), [
        'info Starting Node Agent',
        'info Node Agent starts successfully.',
        'info Sending CSR (retrial #0) ...',
      ]);
      assert.match(lines[3] ?? '', /^info CSR is approved successfully\. Will renew cert in 1079h59m\d+(\.\d+)?s$/);
      assert.equal(await asRoot(labOf(), look), before[0]);
      assert.notEqual(await asRoot(labOf(), serial), before[1]);
      assert.equal(
        await asRoot(labOf(), 'openssl rsa -in /etc/certs/key.pem -pubout 2>/dev/null'),
        await asRoot(labOf(), 'openssl x509 -in /etc/certs/cert-chain.pem -noout -pubkey'),
      );
      assert.match(
        await asRoot(labOf(), 'openssl x509 -in /etc/certs/cert-chain.pem -noout -ext subjectAltName'),
        /URI:spiffe:\/\/cluster\.local\/ns\/vm\/sa\/default/,
      );
      assert.equal(
        await asRoot(labOf(), 'openssl verify -CAfile /etc/certs/root-cert.pem /etc/certs/cert-chain.pem'),
        '/etc/certs/cert-chain.pem: OK',
      );
      assert.equal(await unit(), ACTIVE);
    });

    for (const { cause, damage, says, unit: state } of FAULTS) {
      it(`fails as the real one: ${cause}`, async () => {
        const log = await restart(damage);
        await eventually(String(says), async () => says.test(await log()));
        await eventually(state, async () => (await unit()) === state);
        assert.equal((await log()).includes('Node Agent starts successfully.'), state === ACTIVE);
      });
    }

    it('doubles the time between tries', async () => {
      const log = await restart('echo CITADEL_ADDRESS=127.0.0.1:8060 > /var/lib/istio/envoy/sidecar.env');
      await eventually('the second try', async () => (await log()).includes('Will retry in 10s'), 30_000);
      assert.match(await log(), /Sending CSR \(retrial #1\) \.\.\./);
    });

    it('renews when half of the life is over', async () => {
      let approved: readonly RegExpMatchArray[] = [];
      await eventually(
        'the second approval',
        async () => {
          approved = [...(await renewing()).matchAll(/^(\S+)\tinfo\tCSR is approved successfully\. Will renew cert in (\S+)$/gm)];
          return approved.length === 2;
        },
        60_000,
      );
      assert.match(approved[0]?.[2] ?? '', /^2[89]\.\d+s$/);
      const between = (Date.parse(approved[1]?.[1] ?? '') - Date.parse(approved[0]?.[1] ?? '')) / 1000;
      assert.ok(between > 28 && between < 40, `${between} s`);
      await asRoot(labOf(), `systemctl stop ${RENEWING}`);
    });

    it('stops with its unit', async () => {
      await restart();
      await asRoot(labOf(), `systemctl stop ${UNIT}`);
      assert.equal(await asRoot(labOf(), 'pgrep -c node_agent || true'), '0');
    });
  });
}
