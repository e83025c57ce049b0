import assert from 'node:assert/strict';
import { explainLog } from '../../../../src/mesh/istiod/agentLog.ts';

/** Lines that pilot-agent and Envoy of 1.31 really wrote on a machine with each fault. */
const seen: Readonly<Record<string, readonly string[]>> = {
  'key private key does not match public key': [
    '2026-11-24T02:21:49.666306Z\terror\tcache\tresource:default failed to sign: create certificate: rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: private key does not match public key"',
  ],
  'no-group vm/nogroup': [
    '2026-11-23T22:41:30.338918Z\twarn\txdsproxy\tupstream terminated with unexpected error rpc error: code = FailedPrecondition desc = auto-registration WorkloadEntry of vm-2.vm failed: cannot find WorkloadGroup vm/nogroup\tid=5',
    '2026-11-23T22:41:30.339287Z\twarning\tenvoy config ./source/extensions/config_subscription/grpc/grpc_stream.h:189\tDeltaAggregatedResources gRPC config stream to xds-grpc closed: 9, auto-registration WorkloadEntry of vm-2.vm failed: cannot find WorkloadGroup vm/nogroup{via_upstream}\tthread=939',
  ],
  'unauthenticated request authenticate failure': [
    '2026-11-23T22:41:07.141633Z\terror\tcitadelclient\tfailed to sign CSR: create certificate: rpc error: code = Unauthenticated desc = request authenticate failure',
    '2026-11-23T22:41:07.144405Z\twarn\tcannot parse the cert chain, using token instead: failed to read the cert, error is open etc/certs/cert-chain.pem: no such file or directory',
  ],
  'no-token open ./var/run/secrets/tokens/istio-token: no such file or directory': [
    '2026-11-23T22:41:19.188584Z\twarn\tfailed to fetch token from file: open ./var/run/secrets/tokens/istio-token: no such file or directory',
    '2026-11-23T22:41:19.189957Z\twarn\txdsproxy\tupstream terminated with unexpected error rpc error: code = Unauthenticated desc = authentication failure\tid=5',
  ],
  'unknown-authority unknown authority': [
    '2026-11-23T22:41:44.000602Z\twarn\tsds\tfailed to warm certificate: failed to generate workload certificate: create certificate: rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority"',
  ],
  'refused 10.206.0.11:15012': [
    '2026-11-23T22:41:56.051543Z\twarn\tsds\tfailed to warm certificate: failed to generate workload certificate: create certificate: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 10.206.0.11:15012: connect: connection refused"',
    '2026-11-23T22:41:56.900542Z\twarn\tca\tca request failed, starting attempt 1 in 91.190515ms',
  ],
  'no-such-host istiod.istio-system.svc': [
    '2026-11-23T22:38:26.359603Z\twarning\tenvoy config ./source/extensions/config_subscription/grpc/grpc_stream.h:227\tDeltaAggregatedResources gRPC config stream to xds-grpc closed since 510s ago: 14, connection error: desc = "transport: Error while dialing: dial tcp: lookup istiod.istio-system.svc on 10.206.0.1:53: no such host"',
  ],
};

describe('the log of the agent', () => {
  for (const [expected, lines] of Object.entries(seen))
    it(`names ${expected.split(' ')[0] ?? ''}`, () => {
      const cause = explainLog(lines.join('\n'), '2026-11-23T22:38:00Z');
      assert.deepEqual(
        [cause?.id, cause?.args.detail],
        [`istiod.agent.${expected.split(' ')[0] ?? ''}`, expected.split(' ').slice(1).join(' ')],
      );
    });

  it('is silent about what was before the start, and before it was connected', () => {
    const refused = seen['refused 10.206.0.11:15012']!.join('\n');
    assert.equal(explainLog(refused, '2026-11-23T22:50:00Z'), undefined);
    assert.notEqual(explainLog(refused), undefined);
    const connected =
      '2026-11-23T22:45:00.000000Z\tinfo\txdsproxy\tconnected to delta upstream XDS server: istiod.istio-system.svc:15012\tid=1';
    assert.equal(explainLog(`${refused}\n${connected}`), undefined);
    assert.equal(explainLog(''), undefined);
  });

  it('takes an application that does not answer its probe for no word about istiod', () => {
    const line =
      '2026-11-29T00:47:47.183796Z\tinfo\thealthcheck\tfailure threshold hit, marking as unhealthy: Get "http://10.204.0.11:3306/healthz": dial tcp 127.0.0.6:0->10.204.0.11:3306: connect: connection refused';
    assert.equal(explainLog(line), undefined);
    assert.equal(explainLog(line.replace('connect: connection refused', 'i/o timeout')), undefined);
  });

  it('does not blame a missing token where nothing was refused: after a reboot the certificate carries the machine', () => {
    const [missing, refused] = seen['no-token open ./var/run/secrets/tokens/istio-token: no such file or directory']!;
    assert.equal(explainLog(missing!), undefined);
    assert.equal(explainLog(`${missing!}\n${refused!}`)?.id, 'istiod.agent.no-token');
  });
});
