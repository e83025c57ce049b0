import assert from 'node:assert/strict';
import { createTexts } from '../../../src/editor/texts.ts';
import type { WorkloadGroup } from '../../../src/mesh/model.ts';
import { emptyGroup, groupOfValues, problemsOfGroup, valuesOfGroup } from '../../../src/views/forms/groupValues.ts';
import type { Values } from '../../../src/views/forms/protocol.ts';

const texts = createTexts('en', () => ({}));
const typed: Values = { ...emptyGroup('prod'), namespace: 'vm', name: 'mysql' };
const wrong = (more: Values) => Object.keys(problemsOfGroup({ ...typed, ...more }, texts));

describe('the fields of a workload group', () => {
  const probes: readonly WorkloadGroup['probe'][] = [
    undefined,
    {
      initialDelaySeconds: 5,
      failureThreshold: 3,
      handler: { kind: 'httpGet', port: 8080, path: '/healthz', scheme: 'HTTPS', httpHeaders: [{ name: 'Accept', value: 'a: b' }] },
    },
    { periodSeconds: 20, handler: { kind: 'tcpSocket', port: 3306, host: '127.0.0.1' } },
    { handler: { kind: 'exec', command: ['/usr/bin/mysqladmin', '--user=ping', 'ping'] } },
    { handler: { kind: 'grpc', port: 9000, service: 'orders' } },
  ];
  for (const probe of probes)
    it(`give back a group as it was, with ${probe?.handler.kind ?? 'no'} probe`, () => {
      const group: WorkloadGroup = {
        namespace: 'vm',
        name: 'mysql',
        serviceAccount: 'db',
        labels: { app: 'mysql', 'example.org/tier': '' },
        annotations: { 'proxy.istio.io/config': '{"concurrency": 2}' },
        ports: { 'tcp-mysql': 3306, http: 8080 },
        network: 'net-1',
        locality: 'eu/eu-1/rack=2',
        weight: 0,
        ...(probe === undefined ? {} : { probe }),
      };
      const values = valuesOfGroup('prod', group);
      assert.deepEqual(problemsOfGroup(values, texts), {});
      assert.deepEqual(groupOfValues(values), group);
    });

  it('are fine with the least that a group needs', () => {
    assert.deepEqual(wrong({}), []);
    assert.deepEqual(groupOfValues(typed), {
      namespace: 'vm',
      name: 'mysql',
      serviceAccount: 'default',
      labels: {},
      annotations: {},
      ports: {},
    });
  });

  it('name the field that breaks a rule, and no other', () => {
    assert.deepEqual(wrong({ namespace: '-oProxyCommand=x' }), ['namespace']);
    assert.deepEqual(wrong({ name: '../x' }), ['name']);
    assert.deepEqual(wrong({ serviceAccount: 'a b' }), ['serviceAccount']);
    assert.deepEqual(wrong({ ports: [{ name: 'http', port: '65536' }] }), ['ports']);
    assert.deepEqual(
      wrong({
        ports: [
          { name: 'http', port: '80' },
          { name: 'http', port: '81' },
        ],
      }),
      ['ports'],
    );
    assert.deepEqual(wrong({ labels: 'app=two words' }), ['labels']);
    assert.deepEqual(wrong({ annotations: '$(id)=x' }), ['annotations']);
    assert.deepEqual(wrong({ locality: 'a//c' }), ['locality']);
    assert.deepEqual(wrong({ weight: '-1' }), ['weight']);
    assert.deepEqual(wrong({ probe: 'httpGet', probePort: '', probePath: 'healthz' }), ['probePort', 'probePath']);
    assert.deepEqual(wrong({ probe: 'httpGet', probePort: '80', probeHeaders: 'no colon' }), ['probeHeaders']);
    assert.deepEqual(wrong({ probe: 'exec', probeCommand: ' ' }), ['probeCommand']);
    assert.deepEqual(wrong({ probe: 'tcpSocket', probePort: '80', probeTimeout: 'soon' }), ['probeTimeout']);
  });

  it('of another probe than the chosen one do not count', () => {
    assert.deepEqual(wrong({ probe: 'none', probePort: 'x', probePath: 'x' }), []);
    assert.equal(groupOfValues({ ...typed, probe: 'none', probePort: '80' }).probe, undefined);
  });
});
