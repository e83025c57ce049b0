import assert from 'node:assert/strict';
import { parseWorkloadGroups } from '../../../src/cli/groupFile.ts';
import { isMeshError } from '../../../src/mesh/errors.ts';

/** What `kubectl get workloadgroup mysql -o yaml` prints of a full group (istiod facts 3.5). */
const printed = `apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {"apiVersion":"networking.istio.io/v1"}
  creationTimestamp: "2026-11-01T10:00:00Z"
  generation: 2
  labels:
    team: data
  managedFields:
  - apiVersion: networking.istio.io/v1
    manager: kubectl
  name: mysql
  namespace: vm
  resourceVersion: "812"
  uid: 2f1c1f4e-9d35-4a34-9f6e-6a4f6f1f0d11
spec:
  metadata:
    annotations:
      proxy.istio.io/config: |
        concurrency: 1
    labels:
      app: mysql
      version: v1
  probe:
    failureThreshold: 3
    httpGet:
      host: 127.0.0.1
      httpHeaders:
      - name: X-Probe
        value: "1"
      path: /health
      port: 8080
      scheme: HTTP
    initialDelaySeconds: 5
    periodSeconds: 10
    successThreshold: 1
    timeoutSeconds: 2
  template:
    labels:
      version: v2
    locality: region/zone/rack
    network: vm-network
    ports:
      mysql: 3306
    serviceAccount: mysql
    weight: 3
status:
  observedGeneration: "2"
`;
const small = (more = '', name = 'web'): string =>
  `apiVersion: networking.istio.io/v1\nkind: WorkloadGroup\nmetadata: {name: ${name}, namespace: vm}\nspec:\n  template: {}\n${more}`;

describe('workload groups of a file', () => {
  it('are read as kubectl prints them', () => {
    assert.deepEqual(parseWorkloadGroups(printed, 'g.yaml'), [
      {
        namespace: 'vm',
        name: 'mysql',
        serviceAccount: 'mysql',
        labels: { app: 'mysql', version: 'v2' },
        annotations: { 'proxy.istio.io/config': 'concurrency: 1\n' },
        ports: { mysql: 3306 },
        network: 'vm-network',
        locality: 'region/zone/rack',
        weight: 3,
        probe: {
          failureThreshold: 3,
          initialDelaySeconds: 5,
          periodSeconds: 10,
          successThreshold: 1,
          timeoutSeconds: 2,
          handler: {
            kind: 'httpGet',
            host: '127.0.0.1',
            httpHeaders: [{ name: 'X-Probe', value: '1' }],
            path: '/health',
            port: 8080,
            scheme: 'HTTP',
          },
        },
      },
    ]);
  });

  it('may be one, a stream or a List', () => {
    const names = (text: string): string[] => parseWorkloadGroups(text, 'g.yaml').map(({ name }) => name);
    assert.deepEqual(names(small()), ['web']);
    assert.deepEqual(names(`---\n${small()}---\n${small('', 'db')}---\n`), ['web', 'db']);
    const item = small().trimEnd().split('\n').join('\n  ');
    assert.deepEqual(names(`apiVersion: v1\nkind: List\nitems:\n- ${item}\n`), ['web']);
    assert.equal(parseWorkloadGroups(small(), 'g.yaml')[0]?.serviceAccount, 'default');
  });

  it('that are wrong are refused with the field, the rule and the line', () => {
    const cases: [text: string, field: string, id: string, line: number][] = [
      ['', '', 'cli.group.rule.none', 1],
      ['a: [', '', 'inventory.rule.yaml', 1],
      ['- 1', '', 'inventory.rule.mapping-whole', 1],
      ['kind: Pod', 'apiVersion', 'inventory.rule.required', 1],
      [small().replace('WorkloadGroup', 'Pod'), 'kind', 'cli.group.rule.kind', 2],
      [small().replace(', namespace: vm', ''), 'metadata.namespace', 'inventory.rule.required', 3],
      [small('', 'Web_1'), 'metadata.name', 'inventory.rule.dns-subdomain', 3],
      [small().replace('template: {}', 'template: {address: 10.0.0.1}'), 'spec.template.address', 'cli.group.rule.address', 5],
      [small().replace('template: {}', 'template: {port: 1}'), 'spec.template.port', 'inventory.rule.unknown-key-nearest', 5],
      [small().replace('template: {}', 'template: {ports: {mysql: "3306"}}'), 'spec.template.ports.mysql', 'inventory.rule.port', 5],
      [small().replace('template: {}', 'template: {weight: -1}'), 'spec.template.weight', 'cli.group.rule.whole-number', 5],
      [small('  probe: {periodSeconds: 1}\n'), 'spec.probe', 'cli.group.rule.one-handler', 6],
      [small('  probe: {tcpSocket: {port: 1}, exec: {command: [x]}}\n'), 'spec.probe', 'cli.group.rule.one-handler', 6],
      [small('  probe: {httpGet: {port: 1, scheme: ftp}}\n'), 'spec.probe.httpGet.scheme', 'cli.group.rule.scheme', 6],
      [small('  metadata: {labels: {"a b": x}}\n'), 'spec.metadata.labels["a b"]', 'inventory.rule.qualified-name', 6],
      [`apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n`, 'items[0].apiVersion', 'inventory.rule.required', 4],
    ];
    for (const [text, field, id, line] of cases)
      assert.throws(
        () => parseWorkloadGroups(text, 'g.yaml'),
        (error: unknown) => {
          assert.ok(isMeshError(error, 'group.invalid'), text);
          assert.deepEqual(
            [error.kind, error.field, error.userMessage.id, error.nextStep?.args.line],
            ['bad-input', field, id, line],
            text,
          );
          return true;
        },
      );
  });
});
