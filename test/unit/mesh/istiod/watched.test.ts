import assert from 'node:assert/strict';
import { watched } from '../../../../src/mesh/istiod/watched.ts';
import { clusterEntry, PLANE, vmScope, world } from './support.ts';

const inputs = async (...parts: Parameters<typeof vmScope>) =>
  (await watched(vmScope(...parts)))
    .filter(({ inputOf }) => inputOf !== undefined)
    .map(({ kind, namespace, fieldSelector, inputOf }) => [kind, namespace, fieldSelector, inputOf]);

describe('what is watched in a mesh with istiod', () => {
  it('is the very objects that files are made from: mesh configuration, gateway, roots of the namespaces with VMs', async () => {
    assert.deepEqual(await inputs(world()), [
      ['ConfigMap', 'istio-system', 'metadata.name=istio', 'all'],
      ['Service', 'istio-system', 'metadata.name=istio-eastwestgateway', 'all'],
      ['ConfigMap', 'vm', 'metadata.name=istio-ca-root-cert', { namespace: 'vm' }],
    ]);
  });

  it('follows the revision and the gateway of the inventory; an address written there needs no watch', async () => {
    const istio = { namespace: 'mesh', revision: 'canary' };
    assert.deepEqual(await inputs(world(), { entry: clusterEntry({ istio, ingress: { service: 'vms.edge' } }) }), [
      ['ConfigMap', 'mesh', 'metadata.name=istio-canary', 'all'],
      ['Service', 'edge', 'metadata.name=vms', 'all'],
      ['ConfigMap', 'vm', 'metadata.name=istio-ca-root-cert', { namespace: 'vm' }],
    ]);
    assert.deepEqual(
      (await inputs(world(), { entry: clusterEntry({ ingress: { service: 'istio-eastwestgateway', address: '192.0.2.9' } }) })).map(
        ([kind]) => kind,
      ),
      ['ConfigMap', 'ConfigMap'],
    );
  });

  it('uses the version of the kinds that a release serves', async () => {
    const versions = async (release: string) =>
      (await watched(vmScope(world(), { controlPlane: { ...PLANE, release } })))
        .filter(({ kind }) => kind.startsWith('Workload'))
        .map(({ apiVersion, kind }) => `${apiVersion} ${kind}`);
    assert.deepEqual(await versions('1.31.0'), ['networking.istio.io/v1 WorkloadGroup', 'networking.istio.io/v1 WorkloadEntry']);
    assert.deepEqual(await versions('1.21.6'), [
      'networking.istio.io/v1alpha3 WorkloadGroup',
      'networking.istio.io/v1alpha3 WorkloadEntry',
    ]);
  });
});
