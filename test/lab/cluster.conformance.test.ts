// The lab's cluster, asked with curl, openssl, host, dpkg, kubectl and ssh alone: that it is what its documents say.
import assert from 'node:assert/strict';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from './env.ts';
import { labEnv } from './env.ts';
import { run } from './toolchain/run.ts';

const APPLY = 'application/apply-patch+yaml';

describe("the lab's cluster", function () {
  this.timeout(60_000);
  let lab: Lab;

  before(async () => {
    lab = await labEnv();
  });

  async function kubectl(...argv: string[]): Promise<string> {
    return (await lab.kubectl(argv)).stdout.trim();
  }

  async function loadBalancer(
    namespace: string,
    name: string,
    port: string,
    selector: string,
    annotations: readonly string[],
  ): Promise<void> {
    const [number, protocol] = port.split('/');
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace, annotations: Object.fromEntries(annotations.map((pair) => pair.split('='))) as Record<string, string> },
      spec: {
        type: 'LoadBalancer',
        selector: Object.fromEntries([selector.split('=')]) as Record<string, string>,
        ports: [{ name: 'one', port: Number(number), protocol }],
      },
    };
    await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(service) });
  }

  async function eventually(what: string, condition: () => Promise<boolean>, limit = 15_000): Promise<void> {
    const deadline = Date.now() + limit;
    while (!(await condition())) {
      assert.ok(Date.now() < deadline, `not within ${limit} ms: ${what}`);
      await sleep(200);
    }
  }

  async function ingress(namespace: string, name: string, field: 'ip' | 'hostname'): Promise<string> {
    const query = `jsonpath={.status.loadBalancer.ingress[0].${field}}`;
    await eventually(`${field} of ${name}`, async () => (await kubectl('-n', namespace, 'get', 'service', name, '-o', query)) !== '');
    return kubectl('-n', namespace, 'get', 'service', name, '-o', query);
  }

  it("has a node of Google's cloud, the guide's namespaces and Istio 1.0.3", async () => {
    assert.equal(await kubectl('get', 'node', 'lab', '-o', 'jsonpath={.spec.providerID}'), 'gce://lab/zone/lab');
    assert.equal(
      await kubectl('-n', 'istio-system', 'get', 'deployment', 'istio-pilot', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'),
      'docker.io/istio/pilot:1.0.3',
    );
    assert.match(
      await kubectl('-n', 'istio-system', 'get', 'configmap', 'istio', '-o', 'jsonpath={.data.mesh}'),
      /controlPlaneAuthPolicy: MUTUAL_TLS/,
    );
    const namespaces = (await kubectl('get', 'namespaces', '-o', 'jsonpath={.items[*].metadata.name}')).split(' ');
    for (const name of ['istio-system', 'bookinfo', 'vm', 'onprem']) assert.ok(namespaces.includes(name), name);
    assert.equal(await kubectl('-n', 'kube-system', 'get', 'service', 'kube-dns', '-o', 'jsonpath={.spec.clusterIP}'), '10.96.0.10');
    assert.equal(await kubectl('get', 'servicecidr', 'kubernetes', '-o', 'jsonpath={.spec.cidrs[*]}'), '10.96.0.0/16');
  });

  it('shows a certificate of its own authority, valid for the address in the kubeconfig', async () => {
    const address = new URL(lab.apiServer);
    const shown = await run(
      [
        'openssl',
        's_client',
        '-connect',
        address.host,
        '-CAfile',
        path.join(lab.pkiDirectory, 'ca.crt'),
        '-verify_ip',
        address.hostname,
        '-verify_return_error',
      ],
      { input: '' },
    );
    assert.match(shown.stdout, /Verify return code: 0 \(ok\)/);
  });

  it("reaches the machine from pods' and load balancers' side: a pod address answers it directly", async () => {
    const page = await lab.ssh('vm-1', ['curl', '-sS', '--max-time', '5', `http://${lab.addresses.pods.productpage}:9080/productpage`]);
    assert.match(page.stdout, /<title>Simple Bookstore App<\/title>/);
    assert.match(page.stdout, new RegExp(`Asked by ${lab.machine('vm-1').address}`));
  });

  it('does not let a machine reach a cluster IP, which answers inside the cluster', async () => {
    const address = await kubectl('-n', 'bookinfo', 'get', 'service', 'productpage', '-o', 'jsonpath={.spec.clusterIP}');
    await eventually(
      'productpage through its cluster IP',
      async () => (await lab.inCluster(['curl', '-sf', '--max-time', '2', `http://${address}:9080/`], { tolerant: true })).code === 0,
    );
    const fromMachine = await lab.ssh('vm-1', ['curl', '-sS', '--max-time', '2', `http://${address}:9080/`], { tolerant: true });
    assert.equal(fromMachine.code, 28, `curl's exit code for a time-out, not ${fromMachine.code}: ${fromMachine.stderr}`);
    const fromHere = await run(['curl', '-sS', '--max-time', '2', `http://${address}:9080/`], { tolerant: true });
    assert.doesNotMatch(fromHere.stdout, /Simple Bookstore App/);
  });

  it('serves UDP 53 at the address of an internal load balancer, to a machine', async () => {
    await loadBalancer('kube-system', 'dns-ilb', '53/UDP', 'k8s-app=kube-dns', ['cloud.google.com/load-balancer-type=internal']);
    const address = await ingress('kube-system', 'dns-ilb', 'ip');
    assert.match(address, /^10\.2\d\d\.2\.\d+$/);
    const clusterIp = await kubectl('-n', 'istio-system', 'get', 'service', 'istio-pilot', '-o', 'jsonpath={.spec.clusterIP}');
    await eventually('the answer', async () =>
      (
        await lab.ssh('vm-1', ['host', '-W', '2', '-t', 'A', 'istio-pilot.istio-system.svc.cluster.local.', address], { tolerant: true })
      ).stdout.includes(`has address ${clusterIp}`),
    );
    await kubectl('-n', 'kube-system', 'delete', 'service', 'dns-ilb');
    await eventually(
      'silence after the service is deleted',
      async () =>
        (await lab.ssh('vm-1', ['host', '-W', '1', '-t', 'A', 'istio-pilot.istio-system.svc.cluster.local.', address], { tolerant: true }))
          .code !== 0,
    );
  });

  it('makes a load balancer public when the annotation is missing, and moves it when it comes', async () => {
    await loadBalancer('istio-system', 'open', '8080/TCP', 'istio=pilot', []);
    assert.match(await ingress('istio-system', 'open', 'ip'), /^203\.0\.113\.\d+$/);
    await kubectl('-n', 'istio-system', 'annotate', 'service', 'open', 'cloud.google.com/load-balancer-type=Internal');
    await eventually('an internal address', async () => (await ingress('istio-system', 'open', 'ip')).startsWith('10.'));
    const address = await ingress('istio-system', 'open', 'ip');
    await eventually(
      'Pilot at it',
      async () =>
        (await lab.ssh('vm-1', ['curl', '-sf', '--max-time', '2', `http://${address}:8080/ready`], { tolerant: true })).code === 0,
    );
  });

  it('leaves a load balancer pending on demand, with events that say why, and serves it when that ends', async () => {
    await loadBalancer('istio-system', 'waiting', '8080/TCP', 'istio=pilot', [
      'cloud.google.com/load-balancer-type=internal',
      'lab.mesh-expansion/pending=true',
    ]);
    const reasons = () =>
      kubectl(
        '-n',
        'istio-system',
        'get',
        'events',
        '--field-selector',
        'involvedObject.name=waiting',
        '-o',
        'jsonpath={.items[*].reason}',
      );
    await eventually('a warning', async () => (await reasons()).includes('SyncLoadBalancerFailed'));
    assert.equal(await kubectl('-n', 'istio-system', 'get', 'service', 'waiting', '-o', 'jsonpath={.status.loadBalancer.ingress}'), '');
    await kubectl('-n', 'istio-system', 'annotate', 'service', 'waiting', 'lab.mesh-expansion/pending-');
    assert.match(await ingress('istio-system', 'waiting', 'ip'), /^10\./);
    await eventually('the event', async () => (await reasons()).includes('EnsuredLoadBalancer'));
  });

  it('gives a name and no address where a cloud does so', async () => {
    await loadBalancer('istio-system', 'named', '8080/TCP', 'istio=pilot', ['lab.mesh-expansion/hostname=internal-a1.elb.example']);
    assert.equal(await ingress('istio-system', 'named', 'hostname'), 'internal-a1.elb.example');
    assert.equal(await kubectl('-n', 'istio-system', 'get', 'service', 'named', '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}'), '');
  });

  it('routes a service without selector to the machine its Endpoints name', async () => {
    const { address } = lab.machine('vm-1');
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'sshd', namespace: 'onprem' },
      spec: { ports: [{ name: 'tcp', port: 22 }] },
    };
    const endpoints = {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'sshd', namespace: 'onprem' },
      subsets: [{ addresses: [{ ip: address }], ports: [{ name: 'tcp', port: 22 }] }],
    };
    await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [service, endpoints] }) });
    const clusterIp = await kubectl('-n', 'onprem', 'get', 'service', 'sshd', '-o', 'jsonpath={.spec.clusterIP}');
    await eventually("the machine's sshd at the cluster IP", async () => {
      const banner = await lab.inCluster(['curl', '-s', '--http0.9', '--max-time', '1', `http://${clusterIp}:22/`], { tolerant: true });
      return banner.stdout.startsWith('SSH-2.0-OpenSSH');
    });
  });

  describe('its API server of an older age', () => {
    function curl(method: string, url: string, type: string, body: string): Promise<string> {
      const pki = (name: string) => path.join(lab.pkiDirectory, name);
      return run([
        'curl',
        '-sS',
        '--max-time',
        '5',
        '--cacert',
        pki('ca.crt'),
        '--cert',
        pki('admin.crt'),
        '--key',
        pki('admin.key'),
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        '-X',
        method,
        '-H',
        `Content-Type: ${type}`,
        '--data-binary',
        body,
        url,
      ]).then(({ stdout }) => stdout);
    }
    const configMap = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"aged"},"data":{"a":"b"}}';

    it('answers 415 to an apply patch, where the present one applies', async () => {
      const at = (server: string) => `${server}/api/v1/namespaces/vm/configmaps/aged?fieldManager=conformance`;
      assert.equal(await curl('PATCH', at(lab.oldApiServer), APPLY, configMap), '415');
      assert.equal(await curl('PATCH', at(lab.apiServer), APPLY, configMap), '201');
    });

    it('takes create and merge patch, as the same user', async () => {
      const url = `${lab.oldApiServer}/api/v1/namespaces/vm/configmaps`;
      assert.equal(await curl('POST', url, 'application/json', configMap.replace('aged', 'older')), '201');
      assert.equal(await curl('PATCH', `${url}/older`, 'application/merge-patch+json', '{"data":{"a":"c"}}'), '200');
      assert.equal(await kubectl('-n', 'vm', 'get', 'configmap', 'older', '-o', 'jsonpath={.data.a}'), 'c');
      const who = await lab.kubectl(['--context', lab.contexts.old, 'auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}']);
      assert.equal(who.stdout, 'lab-admin');
    });

    it('knows no ServiceCIDR and takes no caller without a certificate for anyone', async () => {
      const cidrs = await lab.kubectl(['--context', lab.contexts.old, 'get', 'servicecidrs'], { tolerant: true });
      assert.match(cidrs.stderr, /doesn't have a resource type "servicecidrs"/);
      const anonymous = await run([
        'curl',
        '-sS',
        '--max-time',
        '5',
        '--cacert',
        path.join(lab.pkiDirectory, 'ca.crt'),
        '-H',
        'X-Remote-User: lab-admin',
        '-H',
        'X-Remote-Group: system:masters',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        `${lab.oldApiServer}/api/v1/secrets`,
      ]);
      assert.match(anonymous.stdout, /^40[13]$/);
    });
  });

  it('has a user who may read and not write', async () => {
    const viewer = (...argv: string[]) => lab.kubectl(['--context', lab.contexts.viewer, ...argv], { tolerant: true });
    assert.equal((await viewer('-n', 'istio-system', 'get', 'services')).code, 0);
    const refused = await viewer('-n', 'istio-system', 'create', 'service', 'clusterip', 'x', '--tcp=80');
    assert.match(refused.stderr, /forbidden: User "lab-viewer" cannot create resource "services"/);
  });
});
