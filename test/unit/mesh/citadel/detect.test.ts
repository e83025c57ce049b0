import assert from 'node:assert/strict';
import { detect, imageTag } from '../../../../src/mesh/citadel/detect.ts';
import { eraOf } from '../../../../src/mesh/eras.ts';
import type { KubeObject } from '../../../../src/mesh/ports.ts';
import { MemoryCluster } from '../../support/memoryCluster.ts';
import { clusterEntry, coded } from './support.ts';

function pilot(kind: string, image: string, more: Partial<KubeObject['metadata']> = {}): KubeObject {
  const containers = [
    { name: 'istio-proxy', image: 'docker.io/istio/proxyv2:9.9.9' },
    { name: 'discovery', image },
  ];
  const metadata = {
    name: kind === 'Deployment' ? 'istio-pilot' : 'istio-pilot-5bf6d97f79',
    namespace: 'istio-system',
    labels: { istio: 'pilot' },
    ...more,
  };
  return {
    apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1',
    kind,
    metadata,
    spec: kind === 'Pod' ? { containers } : { template: { spec: { containers } } },
  };
}

describe('citadel detection', () => {
  const found = async (...objects: readonly KubeObject[]) => detect(clusterEntry(), new MemoryCluster(...objects));

  it('reads the tag of the discovery container and says where', async () => {
    const plane = await found(pilot('Deployment', 'docker.io/istio/pilot:1.0.3'));
    assert.equal(plane?.release, '1.0.3');
    assert.deepEqual(plane.source, {
      value: '1.0.3',
      from: {
        kind: 'object',
        object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'istio-system', name: 'istio-pilot' },
        field: 'spec.template.spec.containers[1].image',
      },
    });
  });

  it('falls back to a ReplicaSet and a Pod', async () => {
    assert.equal((await found(pilot('ReplicaSet', 'gcr.io:443/x/pilot:0.8.0@sha256:ab')))?.release, '0.8.0');
    assert.equal((await found(pilot('Pod', 'istio/pilot:1.4.10-distroless')))?.release, '1.4.10');
  });

  it('falls back to a label', async () => {
    const plane = await found(pilot('Deployment', 'registry.corp/pilot:latest', { labels: { istio: 'pilot', chart: 'pilot-1.1.7' } }));
    assert.equal(plane?.release, '1.1.7');
    assert.equal(plane.source.from.kind === 'object' ? plane.source.from.field : '', 'metadata.labels.chart');
  });

  it('looks in the namespace of the inventory', async () => {
    const api = new MemoryCluster(pilot('Deployment', 'istio/pilot:1.0.3', { namespace: 'mesh' }));
    assert.equal(await detect(clusterEntry(), api), undefined);
    assert.equal((await detect(clusterEntry({ istio: { namespace: 'mesh' } }), api))?.release, '1.0.3');
  });

  it('asks to pin what it cannot tell', async () => {
    for (const image of ['istio/pilot:latest', 'istio/pilot:release-1.0-latest-daily', 'istio/pilot@sha256:abc', 'istio/pilot']) {
      await assert.rejects(found(pilot('Deployment', image)), coded('cluster.release-unknown'), image);
    }
  });

  it('leaves later releases and istiod to others, and refuses what is older than its table', async () => {
    const era = (...objects: readonly KubeObject[]) => eraOf(clusterEntry(), async () => new MemoryCluster(...objects));
    // 1.5 could still be installed with an istio-pilot; 1.5 - 1.7 are refused with the reason.
    for (const tag of ['1.5.0', '1.7.8']) await assert.rejects(era(pilot('Deployment', `istio/pilot:${tag}`)), coded('era.between'), tag);
    await assert.rejects(era(pilot('Deployment', 'istio/pilot:1.9.0')), coded('era.not-found'));
    const istiod = pilot('Deployment', 'istio/pilot:1.31.0', { name: 'istiod', labels: { app: 'istiod', istio: 'pilot' } });
    for (const tag of ['1.5.0', '1.9.0'])
      assert.equal((await era(pilot('Deployment', `istio/pilot:${tag}`), istiod)).controlPlane.release, '1.31.0', tag);
    assert.equal(await found(pilot('Deployment', 'istio/pilot:1.4.0', { name: 'istiod' })), undefined);
    assert.equal(await found(), undefined);
    await assert.rejects(found(pilot('Deployment', 'istio/pilot:0.2.4')), coded('cluster.release-unsupported'));
  });

  it('reads image references', () => {
    assert.deepEqual(['a/b:1', 'host:5000/a', 'host:5000/a:2@sha256:c', 'a'].map(imageTag), ['1', undefined, '2', undefined]);
  });
});
