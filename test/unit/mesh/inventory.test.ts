import assert from 'node:assert/strict';
import { isMeshError } from '../../../src/mesh/errors.ts';
import { parseInventory, readInventory } from '../../../src/mesh/inventory.ts';
import { problemsOf, type InventoryProblem } from '../../../src/mesh/inventoryProblems.ts';

/** The first problem of a text, as `line:column field rule value`. */
function problems(text: string): string[] {
  const reading = readInventory(text);
  assert.ok(!reading.ok, 'the inventory was accepted');
  return reading.problems.map(
    (problem: InventoryProblem) => `${problem.position.line}:${problem.position.column} ${problem.field} ${problem.rule} ${problem.value}`,
  );
}

const cluster = 'version: 1\nclusters:\n  - context: prod\n';
const vm = (more: string) => `${cluster}vms:\n  - name: db-1\n    cluster: prod\n    namespace: vm\n${more}`;

describe('parseInventory', () => {
  it('fills in the defaults of the contract', () => {
    const { inventory } = parseInventory(`${cluster}vms:
  - name: db-1
    cluster: prod
    namespace: vm
services:
  - name: mysql
    cluster: prod
    namespace: onprem
    ports: [{ name: mysql, port: 3306 }]
`);
    assert.deepEqual(inventory, {
      version: 1,
      clusters: [{ name: 'prod', context: 'prod', istio: { namespace: 'istio-system' }, clusterDomain: 'cluster.local' }],
      vms: [{ name: 'db-1', host: 'db-1', cluster: 'prod', namespace: 'vm', serviceAccount: 'default' }],
      services: [
        {
          name: 'mysql',
          cluster: 'prod',
          namespace: 'onprem',
          ports: [{ name: 'mysql', port: 3306, targetPort: 3306, protocol: 'TCP' }],
          vms: [],
          serviceAccount: 'default',
          labels: {},
          annotations: {},
        },
      ],
    });
  });

  it('names a port that has no name as istioctl register does', () => {
    const service = (ports: string) => `${cluster}services:\n  - { name: mysql, cluster: prod, namespace: onprem, ports: [${ports}] }\n`;
    // Citadel facts 5 and 10.
    const { inventory } = parseInventory(service('{ port: 80 }, { port: 443 }, { port: 3306 }, { port: 9999 }, { name: db, port: 7000 }'));
    assert.deepEqual(
      inventory.services[0]?.ports.map(({ name }) => name),
      ['http', 'https', 'mysql', '9999', 'db'],
    );
    assert.equal(parseInventory(service('{ port: 8080 }')).inventory.services[0]?.ports[0]?.name, 'http');
    // Two ports of one name are refused by the API server; istioctl finds that out too late.
    assert.deepEqual(problems(service('{ port: 80 }, { port: 8080 }')), ['5:76 services[0].ports[1].name unique "http"']);
  });

  it('reads every key of the contract', () => {
    const { inventory } = parseInventory(`# ours
version: 1
clusters:
  - name: prod
    context: arn:aws:eks:eu-west-1:1234:cluster/prod
    istio: { namespace: mesh, release: 1.0.3, clusterId: Kubernetes, controlPlaneAuth: NONE, revision: canary }
    serviceCidr: [10.63.240.0/20, "fd00::/112"]
    clusterDomain: example.org
    ingress: { service: gateway.edge, address: 192.0.2.5 }
    loadBalancers: { provider: gcp }
vms:
  - name: db-1
    host: db-1.example.org
    cluster: prod
    namespace: vm
    serviceAccount: mysql
    address: 10.150.0.5
    inboundPorts: [3306, 8080]
    workloadGroup: mysql
    autoRegister: false
    captureDns: false
    externalAddress: 198.51.100.20
  - { name: web-2, cluster: prod, namespace: vm, inboundPorts: "*" }
services:
  - name: mysql
    cluster: prod
    namespace: onprem
    ports: [{ name: mysql, port: 3306, targetPort: 13306, protocol: UDP }]
    vms: [db-1]
    serviceAccount: sql
    labels: { app.example.org/tier: data }
    annotations: { note: "two words" }
`);
    assert.deepEqual(inventory.clusters[0], {
      name: 'prod',
      context: 'arn:aws:eks:eu-west-1:1234:cluster/prod',
      istio: { namespace: 'mesh', release: '1.0.3', clusterId: 'Kubernetes', controlPlaneAuth: 'NONE', revision: 'canary' },
      serviceCidr: ['10.63.240.0/20', 'fd00::/112'],
      clusterDomain: 'example.org',
      ingress: { service: 'gateway.edge', address: '192.0.2.5' },
      loadBalancers: { provider: 'gcp' },
    });
    assert.deepEqual(inventory.vms[1]?.inboundPorts, '*');
    assert.deepEqual(inventory.services[0]?.ports, [{ name: 'mysql', port: 3306, targetPort: 13306, protocol: 'UDP' }]);
    assert.deepEqual(inventory.services[0].labels, { 'app.example.org/tier': 'data' });
  });

  it('tells of a misspelled key before all that is missing for it', () => {
    assert.throws(
      () => parseInventory('version: 1\nclusters: [{ context: prod }]\nvms: [{ name: db-1, cluster: prod, namespce: vm }]\n'),
      (error: unknown) => {
        assert.ok(isMeshError(error, 'inventory.invalid'));
        assert.deepEqual([error.field, error.userMessage.id], ['vms[0].namespce', 'inventory.rule.unknown-key-nearest']);
        return true;
      },
    );
  });

  it('takes an empty file, and an empty list, for nothing', () => {
    for (const text of ['', '# only a comment\n', 'version: 1\nvms:\nclusters: []\n'])
      assert.deepEqual(parseInventory(text).inventory, { version: 1, clusters: [], vms: [], services: [] });
  });

  it('says where each field stands', () => {
    const parsed = parseInventory(vm('    address: 10.0.0.5\n'));
    assert.deepEqual(parsed.position(['vms', 0, 'address']), { line: 8, column: 14, endLine: 8, endColumn: 22 });
    assert.equal(parsed.position(['vms', 0, 'inboundPorts']).line, 5);
  });

  it('names the nearest known key', () => {
    assert.deepEqual(problems(vm('    inboundPort: [80]\n')), ['8:5 vms[0].inboundPort unknown-key "inboundPort"']);
    assert.throws(
      () => parseInventory(vm('    inboundPort: [80]\n')),
      (error: unknown) => {
        assert.deepEqual(problemsOf(error)[0]?.text, {
          id: 'inventory.rule.unknown-key-nearest',
          args: { field: 'vms[0].inboundPort', key: '"inboundPort"', nearest: 'inboundPorts' },
        });
        return true;
      },
    );
    assert.deepEqual(problems('version: 1\nvmz: []\n'), ['2:1 vmz unknown-key "vmz"']);
    const reading = readInventory(`${cluster}    loadBalancer: {}\n`);
    assert.equal(!reading.ok && reading.problems[0].text.args.nearest, 'loadBalancers');
  });

  it('names field, value, rule and place of a wrong value', () => {
    const cases: [string, string][] = [
      [vm('    inboundPorts: [80, 70000]\n'), '8:24 vms[0].inboundPorts[1] port 70000'],
      [vm('    inboundPorts: [0]\n'), '8:20 vms[0].inboundPorts[0] port 0'],
      [vm('    inboundPorts: [80.5]\n'), '8:20 vms[0].inboundPorts[0] port 80.5'],
      [vm('    inboundPorts: ["80"]\n'), '8:20 vms[0].inboundPorts[0] port "80"'],
      [vm('    inboundPorts: 80,443\n'), '8:19 vms[0].inboundPorts ports "80,443"'],
      [vm('    inboundPorts: [80, 80]\n'), '8:24 vms[0].inboundPorts[1] unique "80"'],
      [vm('    host: -oProxyCommand=x\n'), '8:11 vms[0].host host-alias "-oProxyCommand=x"'],
      [vm('    host: a b\n'), '8:11 vms[0].host host-alias "a b"'],
      [vm('    host: ../x\n'), '8:11 vms[0].host host-alias "../x"'],
      [vm('    host: "a;reboot"\n'), '8:11 vms[0].host host-alias "a;reboot"'],
      [vm('    host: "a\\u0007"\n'), '8:11 vms[0].host host-alias "a\\u0007"'],
      [vm('    address: 10.0.0\n'), '8:14 vms[0].address machine-address "10.0.0"'],
      [vm('    address: 127.0.1.1\n'), '8:14 vms[0].address machine-address "127.0.1.1"'],
      [vm('    address: fe80::1\n'), '8:14 vms[0].address machine-address "fe80::1"'],
      [vm('    serviceAccount: Default\n'), '8:21 vms[0].serviceAccount dns-subdomain "Default"'],
      [`${cluster}    serviceCidr: [10.0.0.0/33]\n`, '4:19 clusters[0].serviceCidr[0] cidr "10.0.0.0/33"'],
      [`${cluster}    serviceCidr: []\n`, '4:18 clusters[0].serviceCidr list-empty []'],
      [`${cluster}    istio: { release: 1.4 }\n`, '4:23 clusters[0].istio.release release 1.4'],
      [`${cluster}    istio: { release: latest }\n`, '4:23 clusters[0].istio.release release "latest"'],
      [`${cluster}    istio: { controlPlaneAuth: mtls }\n`, '4:32 clusters[0].istio.controlPlaneAuth control-plane-auth "mtls"'],
      [`${cluster}    loadBalancers: { provider: gke }\n`, '4:32 clusters[0].loadBalancers.provider provider "gke"'],
      [`${cluster}    name: -x\n`, '4:11 clusters[0].name cluster-name "-x"'],
      ['version: 2\n', '1:10 version version 2'],
      ['clusters: []\n', '1:1 version required '],
      ['version: 1\nvms: {}\n', '2:6 vms list {}'],
      ['version: 1\nvms:\n  - name: a\n    namespace: b\n', '3:5 vms[0].cluster required '],
      [
        `${cluster}services:\n  - { name: 1a, cluster: prod, namespace: vm, ports: [{ name: x, port: 1 }] }\n`,
        '5:13 services[0].name service-name "1a"',
      ],
      [
        `${cluster}services:\n  - { name: a, cluster: prod, namespace: vm, ports: [{ name: x, port: 1 }], labels: { "a b": c } }\n`,
        '5:87 services[0].labels["a b"] qualified-name "a b"',
      ],
    ];
    for (const [text, expected] of cases) assert.equal(problems(text)[0], expected);
  });

  it('tells broken YAML with its place', () => {
    assert.match(problems('version: 1\nvms: [\n')[0] ?? '', /^3:1 {2}yaml /);
    assert.match(problems('version: 1\nversion: 1\n')[0] ?? '', /^2:1 {2}yaml .*unique/);
    assert.deepEqual(problems('version: 1\n---\nversion: 1\n'), ['2:1  yaml Source contains multiple documents']);
    // A tag that is not known: a vault's text, for one, is no name.
    assert.match(problems(vm('').replace('name: db-1', 'name: !vault db-1'))[0] ?? '', /^5:11 {2}yaml Unresolved tag: !vault/);
    assert.match(problems('version: 1\nclusters: &a [*a]\n')[0] ?? '', /clusters\[0\] mapping …/);
    assert.deepEqual(
      problems('- version: 1\n').map((one) => one.slice(0, 14)),
      ['1:1  mapping ['],
    );
    assert.match(
      problems(`a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n`)[0] ?? '',
      /yaml/,
    );
  });

  it('wants unique names and known references', () => {
    const vms = 'vms:\n  - { name: a, cluster: prod, namespace: vm }\n  - { name: a, cluster: prodd, namespace: vm }\n';
    assert.deepEqual(problems(`${cluster}${vms}`), ['6:13 vms[1].name unique "a"', '6:25 vms[1].cluster unknown-cluster "prodd"']);
    const service = (more: string) => `services:\n  - { name: s, cluster: prod, namespace: n, ports: [{ name: x, port: 1 }]${more} }\n`;
    assert.deepEqual(problems(`${cluster}${service(', vms: [db-9]')}`), ['5:82 services[0].vms[0] unknown-vm "db-9"']);
    assert.deepEqual(problems(`${cluster}  - context: edge\nvms: [{ name: a, cluster: edge, namespace: vm }]\n${service(', vms: [a]')}`), [
      '7:82 services[0].vms[0] other-cluster "a"',
    ]);
    assert.deepEqual(
      problems(`${cluster}services:\n  - { name: s, cluster: prod, namespace: n, ports: [{ name: x, port: 1 }, { name: x, port: 1 }] }\n`),
      ['5:83 services[0].ports[1].name unique "x"', '5:92 services[0].ports[1].port unique "1/TCP"'],
    );
  });

  it('lets one service name stand in two namespaces', () => {
    const text = `${cluster}services:\n  - { name: s, cluster: prod, namespace: a, ports: [{ name: x, port: 1 }] }\n  - { name: s, cluster: prod, namespace: b, ports: [{ name: x, port: 1 }] }\n`;
    assert.equal(parseInventory(text).inventory.services.length, 2);
    assert.deepEqual(problems(text.replace('namespace: b', 'namespace: a')), ['6:13 services[1].name unique "s.a"']);
  });
});
