import assert from 'node:assert/strict';
import { parseAllDocuments } from 'yaml';
import { balancerManifest, balancerObjects, readBalancers } from '../../../../src/mesh/citadel/loadBalancers.ts';
import { parseManifest } from '../../../../src/mesh/citadel/manifest.ts';
import { detectProvider, providerFacts } from '../../../../src/mesh/citadel/providers.ts';
import { releaseFacts } from '../../../../src/mesh/citadel/releases.ts';
import { planSetup, setupPreview } from '../../../../src/mesh/citadel/setup.ts';
import { runPlan } from '../../../../src/mesh/planRunner.ts';
import type { KubeObject } from '../../../../src/mesh/ports.ts';
import { MemoryCluster } from '../../support/memoryCluster.ts';
import { balancer, clusterEntry, clusterScope, coded } from './support.ts';

const facts = releaseFacts('1.0.3')!;
const gcp = providerFacts('gcp');
const manifest = balancerManifest(facts, balancerObjects(facts, 'istio-system', gcp), '1.0.3', gcp);
const node = (name: string, providerID?: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: { providerID },
});

/** By hand from install/kubernetes/mesh-expansion.yaml as citadel facts 3 describes it. */
const pilotService = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'istio-pilot-ilb',
    namespace: 'istio-system',
    annotations: { 'cloud.google.com/load-balancer-type': 'internal' },
    labels: { istio: 'pilot' },
  },
  spec: {
    type: 'LoadBalancer',
    ports: [
      { name: 'https-pilot', port: 15005, protocol: 'TCP' },
      { name: 'http-pilot', port: 8080, protocol: 'TCP' },
      { name: 'grpc-pilot', port: 15010, protocol: 'TCP' },
      { name: 'tls-grpc-pilot', port: 15011, protocol: 'TCP' },
    ],
    selector: { istio: 'pilot' },
  },
};

describe('citadel load balancers', () => {
  it('are the four Services of the release', () => {
    const objects = parseAllDocuments(manifest).map((document) => document.toJS() as KubeObject);
    assert.deepEqual(objects[0], pilotService);
    assert.deepEqual(
      objects.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
      ['istio-system/istio-pilot-ilb', 'istio-system/mixer-ilb', 'istio-system/citadel-ilb', 'kube-system/dns-ilb'],
    );
    assert.deepEqual(objects[1]!.spec, {
      type: 'LoadBalancer',
      ports: [{ port: 15004, protocol: 'TCP' }],
      selector: { istio: 'mixer', 'istio-mixer-type': 'telemetry' },
    });
    assert.deepEqual(objects[3]!.spec, {
      type: 'LoadBalancer',
      ports: [{ port: 53, protocol: 'UDP' }],
      selector: { 'k8s-app': 'kube-dns' },
    });
  });

  it('keep dns-ilb in kube-system whatever the control plane is in', () => {
    assert.deepEqual(
      balancerObjects(facts, 'mesh', gcp).map(({ metadata }) => metadata.namespace),
      ['mesh', 'mesh', 'mesh', 'kube-system'],
    );
  });

  it('come back from their own text, and keep edits', () => {
    assert.deepEqual(parseManifest(manifest, facts, 'istio-system', gcp), {
      objects: balancerObjects(facts, 'istio-system', gcp),
      findings: [],
    });
    const edited = manifest.replace('  type: LoadBalancer\n', '  type: LoadBalancer\n  loadBalancerIP: 10.150.0.6\n');
    const { objects, findings } = parseManifest(edited, facts, 'istio-system', gcp);
    assert.equal((objects[0]!.spec as { loadBalancerIP?: string }).loadBalancerIP, '10.150.0.6');
    assert.deepEqual(findings, []);
  });

  it('are doubted where an edit makes them public, or takes a port or the pods away', () => {
    const rules = (text: string): string[] =>
      parseManifest(text, facts, 'istio-system', gcp).findings.map(({ rule, severity }) => `${severity} ${rule}`);
    assert.deepEqual(rules(manifest.replace('load-balancer-type: internal', 'load-balancer-type: external')), [
      'error citadel.manifest.public',
    ]);
    assert.deepEqual(rules(manifest.replace('port: 15011', 'port: 15012')), ['warning citadel.manifest.ports']);
    assert.deepEqual(rules(manifest.replace(/selector:\n {4}istio: pilot/, 'selector:\n    istio: other')), [
      'warning citadel.manifest.selector',
    ]);
  });

  it('are refused where an edit changes what they are', () => {
    const refused = (text: string, rule: string): void => {
      assert.throws(
        () => parseManifest(text, facts, 'istio-system', gcp),
        coded('citadel.manifest', `citadel.manifest.refused.${rule}`),
        rule,
      );
    };
    refused(manifest.replace('name: mixer-ilb', 'name: mixer'), 'name');
    refused(manifest.replace('namespace: kube-system', 'namespace: istio-system'), 'namespace');
    refused(manifest.replace('type: LoadBalancer', 'type: NodePort'), 'type');
    refused(manifest.replace('kind: Service', 'kind: ConfigMap'), 'kind');
    refused(manifest.slice(0, manifest.lastIndexOf('---')), 'missing');
    refused(manifest + manifest.slice(manifest.lastIndexOf('---')), 'twice');
    refused(manifest.replace('kind: Service', 'kind: [Service'), 'syntax');
  });

  it('know the provider by the nodes, when they agree', () => {
    assert.equal(detectProvider([node('a', 'gce://p/z/a'), node('b', 'gce://p/z/b')]), 'gcp');
    assert.equal(detectProvider([node('a', 'azure:///x')]), 'azure');
    assert.equal(detectProvider([node('a', 'gce://p/z/a'), node('b', 'aws:///z/i')]), undefined);
    assert.equal(detectProvider([node('a', 'gce://p/z/a'), node('b')]), undefined);
    assert.equal(detectProvider([]), undefined);
  });

  it('are not made without a provider, or with one that is not served', async () => {
    const nowhere = clusterScope(new MemoryCluster(node('a')), '1.0.3');
    await assert.rejects(planSetup(nowhere, {}), coded('cluster.provider-unknown'));
    assert.equal((await setupPreview(nowhere, {})).provider, undefined);
    for (const provider of ['aws', 'azure', 'keepalived', 'nodeport', 'none'] as const) {
      await assert.rejects(planSetup(nowhere, { provider }), coded('cluster.provider-unsupported'));
    }
    const chosen = clusterScope(
      new MemoryCluster(node('a', 'gce://x')),
      '1.0.3',
      clusterEntry({ loadBalancers: { provider: 'nodeport' } }),
    );
    await assert.rejects(planSetup(chosen, {}), coded('cluster.provider-unsupported'));
  });

  it('are not made without permission', async () => {
    const api = new MemoryCluster(node('a', 'gce://x'));
    api.denied.push({ verb: 'create', group: '', resource: 'services', namespace: 'kube-system' });
    const scope = clusterScope(api, '1.0.3');
    await assert.rejects(planSetup(scope, {}), coded('cluster.access-denied'));
    assert.deepEqual(
      (await setupPreview(scope, {})).denied.map(({ verb, namespace }) => `${verb} ${namespace}`),
      ['create kube-system'],
    );
    assert.deepEqual(api.writes, []);
  });

  it('are made once', async () => {
    const api = new MemoryCluster(node('a', 'gce://x'));
    const first = await runPlan(await planSetup(clusterScope(api, '1.0.3'), { waitMs: 0 }));
    assert.deepEqual([first.ok, first.changed], [true, true]);
    assert.deepEqual(api.find('Service', 'istio-system', 'istio-pilot-ilb')!.spec, pilotService.spec);
    const second = await runPlan(await planSetup(clusterScope(api, '1.0.3'), { waitMs: 0 }));
    assert.deepEqual([second.ok, second.changed], [true, false]);
    assert.equal(api.writes.length, 4);
  });

  it('are waited for until the time is over, and then named with the event', async () => {
    const api = new MemoryCluster(node('a', 'gce://x'));
    const event = (name: string, type: string, text: string) => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: 'istio-system' },
      involvedObject: { kind: 'Service', name: 'istio-pilot-ilb' },
      type,
      reason: name,
      message: text,
      lastTimestamp: '2026-01-01T00:00:00Z',
    });
    // The controller writes both within a second; only the warning explains.
    api.put(event('before', 'Normal', 'Ensuring load balancer'));
    api.put(event('failed', 'Warning', 'no quota'));
    api.put(event('after', 'Normal', 'Ensuring load balancer'));
    const result = await runPlan(await planSetup(clusterScope(api, '1.0.3'), { waitMs: 10_000 }));
    assert.equal(result.error?.code, 'cluster.balancer-pending');
    assert.equal(result.error.userMessage.args.text, 'no quota');
  });

  it('tell their state', async () => {
    const api = new MemoryCluster(
      balancer('istio-system', 'istio-pilot-ilb', '10.150.0.6'),
      balancer('istio-system', 'mixer-ilb', undefined),
    );
    const states = (await readBalancers(clusterScope(api, '1.0.3'))).map(({ role, state, address }) => [role, state, address]);
    assert.deepEqual(states, [
      ['pilot', 'ready', '10.150.0.6'],
      ['mixer', 'pending', undefined],
      ['citadel', 'missing', undefined],
      ['dns', 'missing', undefined],
    ]);
  });
});
