import assert from 'node:assert/strict';
import { judgeCertificate, judgeNodeAgentLog } from '../../../../src/mesh/citadel/checkCertificate.ts';
import { judgeDns } from '../../../../src/mesh/citadel/checkDns.ts';
import { judgeHttp } from '../../../../src/mesh/host/checkHttp.ts';
import { judgeRegistration } from '../../../../src/mesh/citadel/checkPilot.ts';
import { checks } from '../../../../src/mesh/citadel/checks.ts';
import { judgeProcesses } from '../../../../src/mesh/citadel/checkProcesses.ts';
import { judgeUnit } from '../../../../src/mesh/host/checkUnit.ts';
import { releaseFacts } from '../../../../src/mesh/citadel/releases.ts';
import type { Check } from '../../../../src/mesh/era.ts';
import { message } from '../../../../src/mesh/messages.ts';
import type { CheckResult } from '../../../../src/mesh/model.ts';
import { selfSigned } from '../../support/keyPairs.ts';
import { MemoryCluster } from '../../support/memoryCluster.ts';
import { balancers, output, vmScope } from './support.ts';

/** Log lines as citadel facts 10 has them, seen from the real node agent. */
const line = (text: string, level = 'error'): string => `2026-01-01T00:00:00.000000001Z\t${level}\t${text}\n`;
const started = line('Starting Node Agent', 'info') + line('Node Agent starts successfully.', 'info');
const csr = line('Sending CSR (retrial #0) ...', 'info');
const unavailable = (why: string): string =>
  started +
  csr +
  line(`CSR signing failed: rpc error: code = Unavailable desc = connection error: desc = "transport: ${why}". Will retry in 5s`);

describe('citadel checks', () => {
  const [own, other] = [selfSigned('rsa'), selfSigned('ec')];
  it('tell the causes of a node agent apart', () => {
    const verdict = (log: string, earlier: readonly CheckResult[] = []): string => {
      const { verdict: said, reason } = judgeNodeAgentLog(output(log), earlier);
      return `${said} ${reason.id}`;
    };
    assert.equal(
      verdict(started + csr + line('CSR is approved successfully. Will renew cert in 1m29.845821047s', 'info')),
      'ok citadel.check.node-agent.ok',
    );
    assert.equal(
      verdict(
        line(
          'failed to create onprem client root cert file /etc/certs/root-cert.pem (error open /etc/certs/root-cert.pem: no such file or directory)',
        ),
      ),
      'fail citadel.node-agent.root-missing.reason',
    );
    assert.equal(
      verdict(line('cannot load key pair: tls: failed to find any PEM data in key input')),
      'fail citadel.node-agent.key-empty.reason',
    );
    assert.equal(
      verdict(line('cannot load key pair: tls: private key does not match public key')),
      'fail citadel.node-agent.key-mismatch.reason',
    );
    assert.equal(
      verdict(unavailable('Error while dialing dial tcp 10.150.0.9:8060: connect: connection refused')),
      'fail citadel.node-agent.refused.reason',
    );
    assert.equal(
      verdict(unavailable('Error while dialing dial tcp: lookup istio-citadel on 10.0.0.2:53: no such host')),
      'fail citadel.node-agent.no-such-host.reason',
    );
    assert.equal(
      verdict(
        unavailable('authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority'),
      ),
      'fail citadel.node-agent.unknown-authority.reason',
    );
    assert.equal(verdict(unavailable('use of closed network connection')), 'fail citadel.node-agent.closed.reason');
    const expired: CheckResult = {
      id: 'certificate',
      commandLine: '',
      output: '',
      durationMs: 0,
      ...judgeCertificate(output(own.cert + own.key), new Date('2099-01-01')),
    };
    assert.equal(verdict(unavailable('connection closed'), [expired]), 'fail citadel.node-agent.expired');
    // "starts successfully" says nothing.
    assert.equal(verdict(started + csr), 'fail citadel.check.node-agent.waiting');
    assert.equal(verdict(''), 'fail citadel.check.node-agent.silent');
    // An old failure before a success, an old success before a failure.
    assert.equal(
      verdict(unavailable('x: connect: connection refused') + line('CSR is approved successfully. Will renew cert in 1m', 'info')),
      'ok citadel.check.node-agent.ok',
    );
    assert.equal(
      verdict(line('CSR is approved successfully. Will renew cert in 1m', 'info') + unavailable('x: connect: connection refused')),
      'fail citadel.node-agent.refused.reason',
    );
    // What an agent was told that runs no more says nothing of the one that runs.
    assert.equal(
      verdict(line('CSR is approved successfully. Will renew cert in 1m', 'info') + started + csr),
      'fail citadel.check.node-agent.waiting',
    );
  });

  it('judge addresses of names', () => {
    const question = { name: 'istio-pilot.istio-system', expected: '10.150.0.6', of: 'istio-system/istio-pilot-ilb', cluster: false };
    const verdict = (stdout: string, more = {}): string => {
      const { verdict: said, reason } = judgeDns(question, output(stdout, more));
      return `${said} ${reason.id}`;
    };
    assert.equal(verdict('istio-pilot.istio-system has address 10.150.0.6\n'), 'ok citadel.check.dns.ok');
    assert.equal(verdict('istio-pilot.istio-system has address 10.150.0.66\n'), 'fail citadel.check.dns.other');
    assert.equal(verdict('Host istio-pilot.istio-system not found: 3(NXDOMAIN)\n', { exitCode: 1 }), 'fail citadel.check.dns.unknown');
    assert.equal(verdict('Host istio-pilot.istio-system not found: 2(SERVFAIL)\n', { exitCode: 1 }), 'fail citadel.check.dns.refused');
    assert.equal(verdict(';; connection timed out; no servers could be reached\n', { exitCode: 1 }), 'fail citadel.check.dns.silent');
    assert.equal(verdict('istio-pilot.istio-system has no A record\n'), 'fail citadel.check.dns.none');
    assert.equal(verdict('', { exitCode: 127 }), 'fail check.no-program');
    assert.equal(verdict('', { timedOut: true, exitCode: -1 }), 'fail check.timed-out');
  });

  it('judge the answers of curl', () => {
    const question = { id: 'x', url: 'http://x/', ok: () => message('fine') };
    const reason = (exitCode: number, stderr = ''): string => judgeHttp(question, output('', { exitCode, stderr })).reason.id;
    assert.equal(judgeHttp(question, output('<html>')).verdict, 'ok');
    assert.equal(reason(6), 'check.http.name');
    assert.equal(reason(7, 'curl: (7) Failed to connect to x port 80 after 0 ms: Connection refused'), 'check.http.refused');
    assert.equal(reason(28), 'check.http.silent');
    assert.equal(reason(22, 'curl: (22) The requested URL returned error: 404'), 'check.http.status');
    assert.equal(reason(35, 'curl: (35) SSL'), 'check.http.failed');
  });

  it('judge what Pilot says, by release', () => {
    const said = (release: string, body: string): string => {
      const answer = judgeRegistration(releaseFacts(release)!, body, 'kubectl');
      return 'verdict' in answer ? answer.reason.id : answer.id;
    };
    assert.equal(
      said('1.0.3', '[{"service-key":"sp.onprem.svc.cluster.local|http","hosts":[{"ip_address":"10.1.0.3","port":80}]}]'),
      'citadel.check.pilot.ok',
    );
    assert.equal(said('1.0.3', '[{"service-key":"sp.onprem.svc.cluster.local|http","hosts":[]}]'), 'citadel.check.pilot.no-hosts');
    assert.equal(said('1.0.3', '404: Page Not Found'), 'citadel.check.pilot.not-a-list');
    assert.equal(said('0.8.0', '{"hosts":[{"ip_address":"10.60.1.4","port":8080}]}'), 'citadel.check.pilot.ok-key');
    assert.equal(said('0.8.0', '{"hosts": []}'), 'citadel.check.pilot.no-hosts');
  });

  it('judge processes, units and the certificate', () => {
    const ps =
      'root 6955 su -s /bin/bash -c INSTANCE_IP=10.150.0.5 exec /usr/local/bin/pilot-agent proxy > /var/log/istio/istio.log istio-proxy\nistio-p+ 7016 /usr/local/bin/pilot-agent proxy\nistio-p+ 7094 /usr/local/bin/envoy -c /etc/istio/proxy/envoy-rev1.json\n';
    assert.equal(judgeProcesses(output(`${ps}root 6941 /usr/local/istio/bin/node_agent --logtostderr\n`)).verdict, 'ok');
    assert.equal(judgeProcesses(output(ps)).reason.args.programs, 'node_agent');
    const unit = (active: string, file: string, more = {}): string => {
      const { verdict: said, reason } = judgeUnit(
        'istio',
        output(`LoadState=loaded\nActiveState=${active}\nSubState=x\nUnitFileState=${file}\nNRestarts=0\n`, more),
      );
      return `${said} ${reason.id}`;
    };
    assert.equal(unit('active', 'enabled'), 'ok check.unit.ok');
    assert.equal(unit('active', 'disabled'), 'fail check.unit.not-enabled');
    assert.equal(unit('activating', 'enabled'), 'fail check.unit.down');
    assert.equal(judgeUnit('istio', output('LoadState=not-found\nActiveState=inactive\n')).reason.id, 'check.unit.not-found');
    const certificate = (stdout: string, exitCode = 0, now = new Date()): string => {
      const { verdict: said, reason } = judgeCertificate(output(stdout, { exitCode }), now);
      return `${said} ${reason.id}`;
    };
    assert.equal(certificate(own.cert + own.key), 'ok citadel.check.certificate.ok');
    assert.equal(certificate(own.cert + own.key, 0, new Date('2099-01-01')), 'fail citadel.check.certificate.expired');
    assert.equal(certificate(own.cert + other.key), 'fail citadel.check.certificate.key-other');
    assert.equal(certificate(own.cert, 1), 'fail citadel.check.certificate.key-unreadable');
    assert.equal(certificate(own.cert, 127), 'ok citadel.check.certificate.ok-unseen');
    assert.equal(certificate(own.key), 'fail citadel.check.certificate.unreadable');
  });

  describe('asked of a VM', () => {
    const service = (namespace: string, name: string, clusterIP: string) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace, name },
      spec: { clusterIP, ports: [{ port: 9080 }] },
    });
    const endpoints = {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { namespace: 'istio-system', name: 'istio-pilot' },
      subsets: [{ addresses: [{ ip: '10.60.1.4' }], ports: [{ port: 8080 }] }],
    };
    const command = (all: readonly Check[], id: string): string => all.find((check) => check.id === id)?.command.argv.join(' ') ?? '';

    it('are the guide’s, in its order', async () => {
      const api = new MemoryCluster(
        ...balancers(),
        service('istio-system', 'istio-pilot', '10.63.247.248'),
        service('istio-system', 'istio-ingressgateway', '10.63.243.30'),
        service('bookinfo', 'productpage', '10.63.1.1'),
        endpoints,
      );
      const all = await checks(vmScope(api, '1.0.3'));
      assert.deepEqual(
        all.map(({ id }) => id),
        [
          'dns istio-pilot.istio-system',
          'dns istio-telemetry.istio-system',
          'dns istio-citadel.',
          'dns istio-pilot.istio-system.svc.cluster.local.',
          'dns istio-ingressgateway.istio-system.svc.cluster.local.',
          'pilot',
          'pod',
          'processes',
          'unit istio',
          'unit istio-auth-node-agent',
          'certificate',
          'node-agent',
          'productpage',
        ],
      );
      assert.equal(command(all, 'pilot'), 'curl -sS -f -m 5 http://istio-pilot.istio-system:8080/v1/registration');
      assert.equal(command(all, 'pod'), 'curl -sS -f -m 5 http://10.60.1.4:8080/v1/registration');
      assert.equal(command(all, 'productpage'), 'curl -sS -f -m 5 http://productpage.bookinfo.svc.cluster.local:9080/');
      assert.equal(all[3]!.id.endsWith('.'), true);
      assert.equal(
        (await all[3]!.judge(output('istio-pilot.istio-system.svc.cluster.local has address 10.63.247.248\n'), [])).verdict,
        'ok',
      );
      assert.equal(
        (await all[3]!.judge(output('istio-pilot.istio-system.svc.cluster.local has address 10.63.247.249\n'), [])).verdict,
        'fail',
      );
    });

    it('ask old releases by key, and skip what is not there', async () => {
      const all = await checks(vmScope(new MemoryCluster(...balancers('istio-ca-ilb')), '0.5.1'));
      assert.equal(
        command(all, 'pilot'),
        'curl -sS -f -m 5 http://istio-pilot.istio-system:8080/v1/registration/istio-pilot.istio-system.svc.cluster.local|http-discovery',
      );
      const skipped = all.filter((check) => check.skipped !== undefined).map(({ id }) => id);
      assert.deepEqual(skipped, ['pod', 'productpage']);
      assert.equal((await all.at(-1)!.judge(output('', { exitCode: 6 }), [])).verdict, 'skipped');
    });
  });
});
