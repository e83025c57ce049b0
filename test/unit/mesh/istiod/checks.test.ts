import assert from 'node:assert/strict';
import { judgeCapture, judgeSsh } from '../../../../src/mesh/istiod/checkCapture.ts';
import { judgeCertificate, judgeClock, judgeToken } from '../../../../src/mesh/istiod/checkCredentials.ts';
import { judgeName, judgeTcp, judgeTls } from '../../../../src/mesh/istiod/checkIstiod.ts';
import { judgeEntry, judgeService } from '../../../../src/mesh/istiod/checkMesh.ts';
import { judgeNames } from '../../../../src/mesh/istiod/checkNames.ts';
import { judgeListeners, judgeSkew } from '../../../../src/mesh/istiod/checkSidecar.ts';
import { message } from '../../../../src/mesh/messages.ts';
import type { CheckResult, VmEntry, WorkloadEntry } from '../../../../src/mesh/model.ts';
import type { CommandOutput } from '../../../../src/mesh/ports.ts';
import { selfSigned } from '../../support/keyPairs.ts';

const NOW = new Date('2026-01-02T03:04:05Z');
const ISTIOD = 'istiod.istio-system.svc';
const vm: VmEntry = { name: 'db', host: 'db', cluster: 'prod', namespace: 'vm', serviceAccount: 'mysql', workloadGroup: 'mysql' };
const output = (stdout: string, exitCode = 0, stderr = ''): CommandOutput => ({ exitCode, stdout, stderr, durationMs: 5, timedOut: false });
const said = ({ verdict, reason }: { readonly verdict: string; readonly reason: { readonly id: string } }): string =>
  `${verdict} ${reason.id}`;

/** `iptables-legacy-save -t nat` of a machine that istio 1.31 captured, shortened. */
const RULES = `*nat
:ISTIO_INBOUND - [0:0]
-A PREROUTING -p tcp -j ISTIO_INBOUND
-A ISTIO_INBOUND -p tcp -m tcp --dport 15008 -j RETURN
-A ISTIO_INBOUND -p tcp -m tcp --dport 3306 -j ISTIO_IN_REDIRECT
-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports 15006
-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001
COMMIT
`;
const ALL_PORTS = RULES.replace('-m tcp --dport 3306 ', '');

describe('istiod checks', () => {
  it('tell apart what stands between the machine and istiod', () => {
    const place = { name: ISTIOD, address: '10.0.0.9', gateway: 'istio-system/istio-eastwestgateway' };
    assert.equal(said(judgeName(place, output(`10.0.0.9        ${ISTIOD}\n`))), 'ok istiod.check.name.ok');
    assert.equal(said(judgeName(place, output(`10.0.0.8        ${ISTIOD}\n`))), 'fail istiod.check.name.other');
    assert.equal(said(judgeName({ ...place, address: undefined }, output(`10.0.0.8 ${ISTIOD}\n`))), 'ok istiod.check.name.ok');
    assert.equal(said(judgeName(place, output('', 2))), 'fail istiod.check.name.unknown');
    const refused = `${ISTIOD}: line 1: /dev/tcp/${ISTIOD}/15012: Connection refused`;
    assert.equal(said(judgeTcp(ISTIOD, output('', 1, refused))), 'fail istiod.check.tcp.refused');
    assert.equal(said(judgeTcp(ISTIOD, output('', 124))), 'fail istiod.check.tcp.silent');
    assert.equal(said(judgeTcp(ISTIOD, output('', 1, 'runuser: user istio-proxy does not exist'))), 'fail istiod.check.no-user');
    assert.equal(said(judgeTls(ISTIOD, output('10.0.0.9 415\n'))), 'ok istiod.check.tls.ok');
    const tls = (code: number, text: string): string => said(judgeTls(ISTIOD, output('10.0.0.9 000\n', code, `curl: (${code}) ${text}`)));
    assert.equal(tls(60, 'SSL certificate problem: unable to get local issuer certificate'), 'fail istiod.check.tls.unknown-root');
    assert.equal(tls(60, 'SSL certificate problem: certificate is not yet valid'), 'fail istiod.check.tls.time');
    assert.equal(
      tls(60, `SSL: no alternative certificate subject name matches target host name '${ISTIOD}'`),
      'fail istiod.check.tls.other-name',
    );
    const other = output('10.0.0.9 000\n', 60, "SSL: no alternative certificate subject name matches target host name 'a1.elb.example'");
    const called = judgeTls('a1.elb.example', other, 'helm upgrade istiod');
    assert.deepEqual(
      [called.why?.id, called.nextStep?.args],
      ['istiod.check.tls.san.why', { name: 'a1.elb.example', certify: 'helm upgrade istiod' }],
    );
    assert.equal(judgeName({ ...place, address: undefined, certify: 'helm' }, output('', 2)).nextStep?.id, 'istiod.check.name.dns.next');
    assert.equal(tls(35, 'OpenSSL SSL_connect: Connection reset by peer'), 'fail istiod.check.tls.failed');
    assert.equal(tls(77, 'error setting certificate file: /etc/certs/root-cert.pem'), 'fail istiod.check.tls.no-root');
  });

  it('weigh a token against the certificate', () => {
    const claims = (seconds: number, more = {}): string =>
      JSON.stringify({ aud: ['istio-ca'], exp: NOW.getTime() / 1000 + seconds, sub: 'system:serviceaccount:vm:mysql', ...more });
    const certificate = (verdict: CheckResult['verdict']): readonly CheckResult[] => [
      { id: 'certificate', commandLine: '', output: '', verdict, reason: message('x'), durationMs: 0 },
    ];
    const token = (text: string, verdict: CheckResult['verdict'] = 'fail'): string =>
      said(judgeToken(vm, output(text), certificate(verdict), NOW));
    assert.equal(token(claims(60)), 'ok istiod.check.token.ok');
    assert.equal(token(claims(-1)), 'fail istiod.check.token.expired');
    assert.equal(token(claims(-1), 'ok'), 'ok istiod.check.token.not-needed');
    assert.equal(token('\n'), 'fail istiod.check.token.none');
    assert.equal(token('\n', 'ok'), 'ok istiod.check.token.not-needed');
    assert.equal(token(claims(60, { sub: 'system:serviceaccount:vm:other' })), 'fail istiod.check.token.other');
    assert.equal(token(claims(60, { aud: ['vault'] })), 'fail istiod.check.token.other');
    assert.equal(said(judgeClock(output('2026-01-02T03:04:50Z\n'), NOW)), 'ok istiod.check.clock.ok');
    assert.equal(said(judgeClock(output('2026-01-02T03:06:05Z\n'), NOW)), 'fail istiod.check.clock.off');
  });

  it('see a key that is not the one of its certificate', () => {
    const [own, other] = [selfSigned('ec'), selfSigned('rsa')];
    const judge = (text: string, exitCode = 0, one = vm): string => said(judgeCertificate(one, output(text, exitCode), new Date()));
    assert.equal(judge(own.cert + own.key), 'ok istiod.check.certificate.ok');
    assert.equal(judge(other.cert + other.key), 'ok istiod.check.certificate.ok');
    assert.equal(judge(own.cert + other.key), 'fail istiod.check.certificate.key-other');
    // openssl ends with 1 where it reads no key, the shell with 127 where it finds no openssl.
    assert.equal(judge(own.cert, 1), 'fail istiod.check.certificate.key-unreadable');
    assert.equal(judge(own.cert, 127), 'ok istiod.check.certificate.ok-unseen');
    assert.equal(judge(own.key), 'fail istiod.check.certificate.none');
    assert.equal(judge(own.cert + own.key, 0, { ...vm, serviceAccount: 'x' }), 'fail istiod.check.certificate.identity');
  });

  it('find rules in either kind of table, and port 22 by their order', () => {
    const both = (legacy: string, nft: string): CommandOutput => output(`# legacy\n${legacy}# nft\n${nft}`);
    assert.equal(said(judgeCapture(both(RULES, ''))), 'ok istiod.check.capture.ok');
    assert.equal(said(judgeCapture(both('', RULES))), 'ok istiod.check.capture.ok');
    assert.equal(said(judgeCapture(both('', ''))), 'fail istiod.check.capture.none');
    assert.equal(said(judgeCapture(both(RULES, RULES))), 'fail istiod.check.capture.twice');
    const excluded = '-A ISTIO_INBOUND -p tcp -m tcp --dport 22 -j RETURN\n';
    assert.equal(said(judgeSsh(both(RULES, ''))), 'ok istiod.check.ssh.ok');
    assert.equal(said(judgeSsh(both(ALL_PORTS, ''))), 'fail istiod.check.ssh.captured');
    assert.equal(said(judgeSsh(both(ALL_PORTS.replace('-A ISTIO_INBOUND', `${excluded}-A ISTIO_INBOUND`), ''))), 'ok istiod.check.ssh.ok');
    assert.equal(
      said(judgeSsh(both(ALL_PORTS.replace('-A ISTIO_IN_REDIRECT', `${excluded}-A ISTIO_IN_REDIRECT`), ''))),
      'fail istiod.check.ssh.captured',
    );
  });

  it('read what Envoy says of its listeners', () => {
    const stats = (rejected: number, success: number): string =>
      `cluster_manager.cds.update_rejected: 0\ncluster_manager.cds.update_success: 1\nlistener_manager.lds.update_rejected: ${rejected}\nlistener_manager.lds.update_success: ${success}\n`;
    const listeners = (...errors: readonly (string | undefined)[]): string =>
      JSON.stringify({
        configs: errors.map((details, index) => ({ name: `l${index}`, ...(details === undefined ? {} : { error_state: { details } }) })),
      });
    assert.equal(said(judgeListeners(output(stats(0, 2) + listeners(undefined, undefined)))), 'ok istiod.check.listeners.ok');
    const rejected = judgeListeners(output(stats(3, 0) + listeners(undefined, "Didn't find a registered implementation for 'istio.alpn'")));
    assert.deepEqual([said(rejected), rejected.reason.args.name], ['fail istiod.check.listeners.rejected', 'l1']);
    assert.equal(said(judgeListeners(output(stats(3, 0) + listeners()))), 'fail istiod.check.listeners.none');
    assert.equal(said(judgeListeners(output(stats(1, 2) + listeners(undefined)))), 'ok istiod.check.listeners.ok');
    assert.equal(said(judgeListeners(output(stats(0, 0) + listeners()))), 'fail istiod.check.listeners.empty');
    assert.equal(said(judgeListeners(output('', 7))), 'fail istiod.check.listeners.no-envoy');
    assert.equal(said(judgeListeners(output(`${stats(0, 1)}{ garbage`))), 'fail istiod.check.listeners.empty');
  });

  it('compare releases: one behind is served, none ahead', () => {
    const skew = (version: string): string => said(judgeSkew('1.31.0', output(`${version}\n`)));
    assert.deepEqual(['1.31.4', '1.30.0', '1.29.7', '1.32.0', '2.0.0', '2:1.31.0-1'].map(skew), [
      'ok istiod.check.version.ok',
      'ok istiod.check.version.ok',
      'fail istiod.skew.behind',
      'fail istiod.skew.ahead',
      'fail istiod.skew.ahead',
      'ok istiod.check.version.ok',
    ]);
    assert.equal(said(judgeSkew('1.31.0', output('', 1))), 'fail istiod.check.version.none');
    // What dpkg says of a package, and of one that was removed and left its settings.
    assert.equal(skew('installed 1.31.0'), 'ok istiod.check.version.ok');
    assert.equal(skew('installed 2:1.31.0-1'), 'ok istiod.check.version.ok');
    assert.equal(skew('config-files 1.31.0'), 'fail istiod.check.version.none');
  });

  it('say how the cluster sees the machine', () => {
    const entry = (more: Partial<WorkloadEntry>): WorkloadEntry => ({
      ref: { apiVersion: 'networking.istio.io/v1', kind: 'WorkloadEntry', namespace: 'vm', name: 'mysql-10.0.0.5' },
      membership: 'healthy',
      automatic: true,
      address: '10.0.0.5',
      ...more,
    });
    const judge = (more: Partial<WorkloadEntry>, one = vm): string =>
      said(judgeEntry({ vm: one, address: '10.0.0.5' }, output('172.17.0.1 10.0.0.5 \n'), entry(more)));
    assert.equal(judge({}), 'ok istiod.check.entry.ok');
    for (const membership of ['never', 'unhealthy', 'disconnected', 'stale'] as const)
      assert.equal(judge({ membership }), `fail istiod.check.entry.${membership}`);
    assert.equal(judge({ address: '10.0.0.6' }), 'fail istiod.check.entry.address');
    assert.equal(judge({ address: '10.0.0.6' }, { ...vm, externalAddress: '10.0.0.6' }), 'ok istiod.check.entry.ok');
    const missing = (...addresses: string[]) =>
      judgeEntry(
        { vm, address: '10.0.0.5' },
        output('172.17.0.1 10.0.0.5 \n'),
        entry({ membership: 'never', address: undefined }),
        addresses.map((address) => entry({ address, vm: undefined })),
      );
    assert.equal(said(missing('10.0.0.7')), 'fail istiod.check.entry.never');
    const elsewhere = missing('10.0.0.7', '172.17.0.1');
    assert.equal(said(elsewhere), 'fail istiod.check.entry.elsewhere');
    assert.deepEqual([elsewhere.reason.args.address, elsewhere.reason.args.wanted], ['172.17.0.1', '10.0.0.5']);
  });

  it('know Envoy by its signature', () => {
    const page = (headers: string, code = 0, stderr = ''): string => said(judgeService('http://x/', output(headers, code, stderr)));
    assert.equal(page('HTTP/1.1 200 OK\r\nserver: envoy\r\n'), 'ok istiod.check.service.ok');
    assert.equal(page('HTTP/1.1 404 Not Found\r\nserver: envoy\r\n'), 'ok istiod.check.service.ok');
    assert.equal(page('HTTP/1.1 503 Service Unavailable\r\nserver: envoy\r\n'), 'fail check.http.status');
    assert.equal(page('HTTP/1.1 200 OK\r\nserver: nginx\r\n'), 'fail istiod.check.service.past');
    assert.equal(page('', 6, 'curl: (6) Could not resolve host: x'), 'fail check.http.name');
    assert.equal(page('', 28, 'curl: (28) Resolving timed out after 5000 milliseconds'), 'fail check.http.name');
    assert.equal(page('', 56, 'curl: (56) Recv failure: Connection reset by peer'), 'fail istiod.check.service.failed');
  });

  it('see whom programs ask for names, by the rules that lead them to the agent', () => {
    const rule = (server: string): string => `-A ISTIO_OUTPUT_DNS -d ${server}/32 -p udp -m udp --dport 53 -j REDIRECT --to-ports 15053\n`;
    const names = (stdout: string, captureDns?: boolean): string => said(judgeNames({ captureDns }, output(stdout)));
    const HOSTS = 'hosts:          files dns\n';
    assert.equal(names(`nameserver 127.0.0.53\n${HOSTS}${rule('127.0.0.53')}`), 'ok istiod.check.dns.ok');
    assert.equal(names(`nameserver 10.0.0.3\n${HOSTS}${rule('10.0.0.2')}`), 'fail istiod.check.dns.past');
    assert.equal(names(`nameserver 10.0.0.2\nnameserver fd00::2\n${HOSTS}${rule('10.0.0.2')}`), 'fail istiod.check.dns.past');
    assert.equal(names(`nameserver 10.0.0.2\n${HOSTS}`), 'fail istiod.check.dns.none');
    assert.equal(names(`nameserver 10.0.0.2\n${HOSTS}`, false), 'ok istiod.check.dns.off');
    assert.equal(names(`search example.com\n${HOSTS}${rule('10.0.0.2')}`), 'fail istiod.check.dns.no-server');
    const past = 'hosts: files resolve [!UNAVAIL=return] dns\n';
    assert.equal(names(`nameserver 127.0.0.53\n${past}${rule('127.0.0.53')}`), 'fail istiod.check.dns.past-dns');
    // CAPTURE_ALL_DNS, and the native nftables of 1.28.
    assert.equal(names(`nameserver 10.0.0.2\n${HOSTS}${rule('x').replace(' -d x/32', '')}`), 'ok istiod.check.dns.ok');
    assert.equal(
      names(`nameserver 10.0.0.2\n${HOSTS}ip daddr 10.0.0.2 udp dport 53 counter redirect to :15053\n`),
      'ok istiod.check.dns.ok',
    );
  });
});
