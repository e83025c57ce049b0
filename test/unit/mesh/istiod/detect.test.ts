import assert from 'node:assert/strict';
import { createMesh } from '../../../../src/mesh/createMesh.ts';
import { eraOf } from '../../../../src/mesh/eras.ts';
import { MeshError } from '../../../../src/mesh/errors.ts';
import { detect } from '../../../../src/mesh/istiod/detect.ts';
import { gatewayCommands } from '../../../../src/mesh/istiod/gatewayCommands.ts';
import { assertRegisters, assertSameNetwork } from '../../../../src/mesh/istiod/limits.ts';
import { vmPlans } from '../../../../src/mesh/istiod/vmPlans.ts';
import { setupPreview } from '../../../../src/mesh/istiod/setup.ts';
import type { MeshPorts } from '../../../../src/mesh/mesh.ts';
import { message } from '../../../../src/mesh/messages.ts';
import type { KubeObject, VmHost } from '../../../../src/mesh/ports.ts';
import { MemoryCluster } from '../../support/memoryCluster.ts';
import { clusterEntry, coded, gateway, PLANE, world, vmScope } from './support.ts';

function istiod(image: string, labels: Record<string, string> = {}, env: readonly object[] = []): KubeObject {
  const revision = labels['istio.io/rev'];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: revision === undefined ? 'istiod' : `istiod-${revision}`,
      namespace: 'istio-system',
      labels: { app: 'istiod', istio: 'pilot', ...labels },
    },
    spec: { template: { spec: { containers: [{ name: 'discovery', image, env }] } } },
  };
}

const tag = (name: string, revision: string): KubeObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: `istio-revision-tag-${name}`, labels: { 'istio.io/rev': revision, 'istio.io/tag': name } },
});

describe('detection of istiod', () => {
  it('reads the release from the image, else from a label', async () => {
    const release = async (one: KubeObject) => (await detect(clusterEntry(), new MemoryCluster(one)))?.release;
    assert.equal(await release(istiod('docker.io/istio/pilot:1.31.0')), '1.31.0');
    assert.equal(await release(istiod('gcr.io:5000/istio/pilot:1.8.0-distroless@sha256:00')), '1.8.0');
    assert.equal(await release(istiod('pilot:latest', { 'helm.sh/chart': 'istiod-1.24.3' })), '1.24.3');
    await assert.rejects(release(istiod('pilot:latest')), coded('istiod.release-unknown', 'istio.release'));
    assert.equal(await detect(clusterEntry(), new MemoryCluster()), undefined);
  });

  it('takes the revision of the inventory, of a tag, of the default tag', async () => {
    const api = new MemoryCluster(
      istiod('istio/pilot:1.30.0', { 'istio.io/rev': '1-30' }),
      istiod('istio/pilot:1.31.0', { 'istio.io/rev': '1-31' }),
      tag('default', '1-31'),
      tag('stable', '1-30'),
    );
    const found = async (revision?: string) => {
      const plane = await detect(clusterEntry({ istio: { namespace: 'istio-system', revision } }), api);
      const detail = plane?.details?.find(({ id }) => id === 'revision');
      return [plane?.release, detail?.value, detail?.attention];
    };
    assert.deepEqual(await found(), ['1.31.0', '1-31', undefined]);
    assert.deepEqual(await found('stable'), ['1.30.0', '1-30', undefined]);
    assert.deepEqual(await found('1-30'), ['1.30.0', '1-30', undefined]);
    assert.deepEqual((await found('gone')).slice(1), ['gone', true]);
  });

  it('refuses 1.5 to 1.7, and serves 1.8', async () => {
    const era = (image: string) => eraOf(clusterEntry(), async () => new MemoryCluster(istiod(image)));
    await assert.rejects(era('istio/pilot:1.6.8'), coded('era.between'));
    await assert.rejects(era('istio/pilot:1.7.9'), coded('era.between'));
    assert.equal((await era('istio/pilot:1.8.0')).era.id, 'istiod');
  });

  it('tells the gateway of a cluster whose release the inventory pins', async () => {
    const entry = clusterEntry({
      istio: { namespace: 'istio-system', release: '1.30.2' },
      ingress: { service: 'istio-eastwestgateway', hostname: 'san' },
    });
    const found = async (...objects: KubeObject[]) => {
      const { controlPlane } = await eraOf(entry, async () => world(gateway([{ hostname: 'a1.elb.example' }]), ...objects));
      const value = (wanted: string) => controlPlane.details?.find(({ id }) => id === wanted)?.value;
      return [controlPlane.release, value('gateway-address'), value('certificate-names'), controlPlane.limits];
    };
    assert.deepEqual(await found(istiod('istio/pilot:1.31.0')), ['1.30.2', 'a1.elb.example', '-', []]);
    assert.deepEqual(await found(), ['1.30.2', 'a1.elb.example', undefined, undefined]);
  });

  it('needs no cluster for the era of a pinned release', async () => {
    const entry = clusterEntry({ istio: { namespace: 'istio-system', release: '1.30.2' } });
    const gone = () => Promise.reject(new MeshError({ code: 'cluster.unreachable', userMessage: message('mesh.cancelled') }));
    const { era, controlPlane } = await eraOf(entry, gone);
    assert.deepEqual([era.id, controlPlane.release, controlPlane.details], ['istiod', '1.30.2', undefined]);
    const cancelled = AbortSignal.abort();
    await assert.rejects(eraOf(entry, gone, undefined, { signal: cancelled }), (error) => error === cancelled.reason);
  });

  it('tells whether the certificate of istiod holds the host name that VMs call it by, and how it gets there', async () => {
    const entry = clusterEntry({ ingress: { service: 'istio-eastwestgateway', hostname: 'san' } });
    const found = async (names?: string) => {
      const env = names === undefined ? [] : [{ name: 'ISTIOD_CUSTOM_HOST', value: names }];
      const api = world(istiod('istio/pilot:1.31.0', {}, env), gateway([{ hostname: 'a1.elb.example' }]));
      const controlPlane = (await detect(entry, api)) ?? assert.fail();
      const detail = controlPlane.details?.find(({ id }) => id === 'certificate-names');
      const lines = (await setupPreview({ ...vmScope(api, { entry }), controlPlane }, {})).commands?.map(({ commandLine }) => commandLine);
      return [detail?.value, detail?.attention, lines];
    };
    // The keys are those of the charts (1.31: ISTIOD_CUSTOM_HOST below env, which is also pilot.env); helm wants a comma of a value escaped.
    assert.deepEqual(await found(), [
      '-',
      true,
      [
        'helm upgrade istiod istio/istiod --kube-context prod --namespace istio-system --version 1.31.0 --reuse-values --set pilot.env.ISTIOD_CUSTOM_HOST=a1.elb.example',
        'istioctl install --context prod -y --set values.pilot.env.ISTIOD_CUSTOM_HOST=a1.elb.example',
      ],
    ]);
    assert.deepEqual(await found('other.example,a1.elb.example'), ['other.example,a1.elb.example', undefined, undefined]);
    const [, attention, lines] = (await found('other.example')) as [unknown, unknown, readonly string[] | undefined];
    const helm = lines?.[0] ?? '';
    assert.equal(attention, true);
    assert.ok(helm.endsWith(String.raw`--set 'pilot.env.ISTIOD_CUSTOM_HOST=other.example\,a1.elb.example'`), helm);
    const plane = await detect(clusterEntry(), world(istiod('istio/pilot:1.31.0'), gateway([{ hostname: 'a1.elb.example' }])));
    assert.ok(plane?.details?.every(({ id }) => id !== 'certificate-names'));
  });

  it('tells it at once where the inventory, or a form, changes how VMs call istiod', async () => {
    const api = world(istiod('istio/pilot:1.31.0'), gateway([{ hostname: 'a1.elb.example' }]));
    let entry = clusterEntry();
    const { ports, inventory } = vmScope(api);
    const connections = { contexts: async () => [], hosts: async () => [], cluster: async () => api, close: async () => undefined };
    const mesh = createMesh({ ...ports, connections } as unknown as MeshPorts, () => ({ ...inventory, clusters: [entry] }));
    assert.equal((await mesh.setupPreview('prod')).commands, undefined);
    entry = clusterEntry({ ingress: { service: 'istio-eastwestgateway', hostname: 'san' } });
    assert.equal((await mesh.setupPreview('prod')).commands?.length, 2);
  });

  it('routes the host name to the revision that VMs call by it', async () => {
    const entry = clusterEntry({
      istio: { namespace: 'istio-system', revision: '1-31' },
      ingress: { service: 'istio-eastwestgateway', hostname: 'san' },
    });
    const api = world(istiod('istio/pilot:1.31.0', { 'istio.io/rev': '1-31' }), gateway([{ hostname: 'a1.elb.example' }]));
    const preview = async () => setupPreview({ ...vmScope(api, { entry }), controlPlane: (await detect(entry, api)) ?? assert.fail() }, {});
    const route = (await preview()).objects.find(({ kind }) => kind === 'VirtualService');
    const { tls } = route!.spec as { tls: { match: { sniHosts: string[] }[] }[] };
    assert.deepEqual(tls[0]?.match[0]?.sniHosts, [
      'istiod-1-31.istio-system.svc',
      'istiod-1-31.istio-system.svc.cluster.local',
      'a1.elb.example',
    ]);
  });

  // gen-eastwest-gateway.sh and the charts of 1.11.0 and 1.12.0.
  it('shows how the release at hand makes a gateway', () => {
    const on = (release: string, network?: string) => {
      const detail = (id: string, value: string) => ({ id, label: { id: `istiod.detail.${id}`, args: {} }, value });
      const details = [
        detail('trust-domain', 'td.example'),
        detail('cluster-id', 'c1'),
        ...(network === undefined ? [] : [detail('network', network)]),
      ];
      return gatewayCommands(vmScope(world(), { controlPlane: { ...PLANE, release, details } }), 'default').map(({ commandLine }) =>
        commandLine.replace(/ \|.*| --kube-context.*/, ''),
      );
    };
    const [script, helm] = ['samples/multicluster/gen-eastwest-gateway.sh', 'helm install istio-eastwestgateway istio/gateway'];
    assert.deepEqual(on('1.11.8'), [`${script} --single-cluster`]);
    assert.deepEqual(on('1.11.8', 'n1'), [`${script} --network n1 --mesh td.example --cluster c1`]);
    assert.deepEqual(on('1.12.0', 'n1'), [`${script} --network n1`, helm]);
  });

  // Run with istioctl 1.31: that Service, selecting pods by that app, with the script's four ports.
  it("has istioctl make the gateway that the inventory names, and not the script's own", () => {
    const options = (service?: string) => {
      const entry = clusterEntry({ ingress: service === undefined ? undefined : { service } });
      return gatewayCommands(vmScope(world(), { entry }), 'default')[0]?.commandLine.split(' -f - ')[1];
    };
    const at = "--set 'components.ingressGateways[0]";
    assert.equal(options(), undefined);
    assert.equal(options('ew2.edge'), `${at}.name=ew2' ${at}.label.app=ew2' ${at}.namespace=edge'`);
  });

  it('finds what is not served, and blocks what could not work', async () => {
    const limits = async (api: MemoryCluster) =>
      (await detect(clusterEntry({ istio: { namespace: 'istio-system', release: undefined } }), api))?.limits?.map(({ id, blocking }) => [
        id,
        blocking,
      ]);
    const ztunnel: KubeObject = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'ztunnel', namespace: 'istio-system' } };
    assert.deepEqual(await limits(world(istiod('istio/pilot:1.31.0'))), []);
    const ambient = istiod('istio/pilot:1.31.0', {}, [{ name: 'PILOT_ENABLE_AMBIENT', value: 'true' }]);
    const namespace = (labels: Record<string, string>): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', labels },
    });
    assert.deepEqual(await limits(world(ambient)), []);
    assert.deepEqual(await limits(world(ambient, ztunnel)), [['ambient-only', true]]);
    assert.deepEqual(
      await limits(world(ambient, ztunnel, namespace({ 'istio.io/rev': 'default', 'istio.io/dataplane-mode': 'ambient' }))),
      [['ambient-only', true]],
    );
    for (const [key, value] of [
      ['istio-injection', 'enabled'],
      ['istio.io/rev', 'default'],
    ] as const)
      assert.deepEqual(await limits(world(ambient, ztunnel, namespace({ [key]: value }))), [['ambient', false]]);
    // Istio's pilot.go: off up to 1.9, on since 1.10, unless it is set.
    const registering = (value: string) => [{ name: 'PILOT_ENABLE_WORKLOAD_ENTRY_AUTOREGISTRATION', value }];
    assert.deepEqual(await limits(world(istiod('istio/pilot:1.9.9'))), [['no-registration', false]]);
    assert.deepEqual(await limits(world(istiod('istio/pilot:1.9.9', {}, registering('true')))), []);
    assert.deepEqual(await limits(world(istiod('istio/pilot:1.10.0'))), []);
    assert.deepEqual(await limits(world(istiod('istio/pilot:1.31.0', {}, registering('false')))), [['no-registration', false]]);
    const group: KubeObject = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'WorkloadGroup',
      metadata: { name: 'far', namespace: 'vm' },
      spec: { template: { network: 'vm-net' } },
    };
    assert.deepEqual(await limits(world(istiod('istio/pilot:1.31.0'), group)), [['networks', false]]);
    const meshNetworks = (...names: string[]): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio', namespace: 'istio-system' },
      data: { mesh: '', meshNetworks: `networks: {${names.map((name) => `${name}: {endpoints: [], gateways: []}`).join(', ')}}` },
    });
    assert.deepEqual(await limits(new MemoryCluster(istiod('istio/pilot:1.31.0'), meshNetworks())), []);
    assert.deepEqual(await limits(new MemoryCluster(istiod('istio/pilot:1.31.0'), meshNetworks('a'))), []);
    assert.deepEqual(await limits(new MemoryCluster(istiod('istio/pilot:1.31.0'), meshNetworks('a', 'b'))), [['networks', false]]);
    const values: KubeObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio-sidecar-injector', namespace: 'istio-system' },
      data: { values: '{"global":{"tag":"1.31.0"}}' },
    };
    const service: KubeObject = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'istiod', namespace: 'istio-system' },
      spec: { ports: [] },
    };
    assert.deepEqual(await limits(new MemoryCluster(values, service)), [['remote', true]]);
  });

  it('refuses a VM that is to register itself where istiod does not register, and no other', async () => {
    const scope = (autoRegister?: boolean) => {
      const limits = [{ id: 'no-registration', text: { id: 'istiod.limit.no-registration', args: {} }, blocking: false }];
      return vmScope(world(), { vm: { autoRegister }, controlPlane: { ...PLANE, limits } });
    };
    assertRegisters(scope(false));
    const { planJoin } = vmPlans({ entryOf: () => assert.fail('asked'), checks: () => assert.fail('checked') });
    const untouched = {} as unknown as VmHost;
    await assert.rejects(planJoin(scope(), untouched, [], {}), coded('istiod.limit', 'autoRegister'));
  });

  it('refuses a group on another network than the mesh, and none where either has no name', () => {
    const group = (network?: string) => ({
      ...{ namespace: 'vm', name: 'far', serviceAccount: 'far', labels: {}, annotations: {}, ports: {} },
      network,
    });
    const on = (value: string) => ({
      controlPlane: { ...PLANE, details: [{ id: 'network', label: { id: 'istiod.detail.network', args: {} }, value }] },
    });
    for (const network of [undefined, '', 'net-1']) assertSameNetwork(on('net-1'), group(network));
    assertSameNetwork({ controlPlane: PLANE }, group('net-2'));
    assert.throws(() => assertSameNetwork(on('net-1'), group('net-2')), coded('istiod.limit', 'workloadGroup'));
  });
});
