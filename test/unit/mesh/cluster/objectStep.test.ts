import assert from 'node:assert/strict';
import { objectStep } from '../../../../src/mesh/cluster/objectStep.ts';
import { runPlan, undoPlan } from '../../../../src/mesh/planRunner.ts';
import type { KubeObject } from '../../../../src/mesh/ports.ts';
import { MemoryCluster } from '../../support/memoryCluster.ts';
import { clusterScope } from '../citadel/support.ts';

const service = (ports: readonly number[], more: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'mysql', namespace: 'vm', labels: { app: 'mysql' }, annotations: more },
  spec: { ports: ports.map((port) => ({ port })) },
});

describe('the step that applies an object', () => {
  const run = async (api: MemoryCluster, object: KubeObject) =>
    runPlan({ id: 'setup', title: { id: 'x', args: {} }, hosts: [], steps: [objectStep(clusterScope(api, '1.0.3'), object)] });
  const present = (api: MemoryCluster): KubeObject => api.find('Service', 'vm', 'mysql')!;
  /** Somebody else's write, as a server keeps it. */
  const change = (api: MemoryCluster, more: object): KubeObject => api.put({ ...present(api), ...more });

  it('puts back what it changed', async () => {
    const api = new MemoryCluster(service([80]));
    await undoPlan(await run(api, service([3306])));
    assert.deepEqual(present(api).spec, { ports: [{ port: 80 }] });
  });

  it('puts it back also where the server has written its own part in between', async () => {
    const api = new MemoryCluster(service([80]));
    const result = await run(api, service([3306]));
    change(api, { status: { loadBalancer: { ingress: [{ ip: '10.150.0.6' }] } } });
    assert.equal((await undoPlan(result)).ok, true);
    assert.deepEqual(present(api).spec, { ports: [{ port: 80 }] });
  });

  for (const [what, more] of [
    ['a field', { spec: { ports: [{ port: 9999 }] } }],
    ['an annotation', { metadata: { ...service([3306]).metadata, annotations: { theirs: 'yes' } } }],
  ] as const)
    it(`leaves an object alone of which somebody else has changed ${what}, and says so`, async () => {
      const api = new MemoryCluster(service([80]));
      const result = await run(api, service([3306]));
      const theirs = change(api, more);
      const undone = await undoPlan(result);
      assert.deepEqual([undone.error?.code, undone.error?.kind, undone.states], ['cluster.changed-since', 'person', ['undo-failed']]);
      assert.deepEqual(present(api), theirs);
    });

  it('deletes what it created, with what controllers added to it; not what somebody made of it', async () => {
    const api = new MemoryCluster();
    const result = await run(api, service([3306]));
    change(api, { metadata: { ...present(api).metadata, annotations: { 'cloud/neg': '1' } }, status: {} });
    assert.equal((await undoPlan(result)).ok, true);
    assert.equal(api.find('Service', 'vm', 'mysql'), undefined);
    const again = await run(api, service([3306]));
    change(api, { spec: { ports: [{ port: 1 }] } });
    assert.equal((await undoPlan(again)).error?.code, 'cluster.changed-since');
    assert.notEqual(api.find('Service', 'vm', 'mysql'), undefined);
  });

  it('does not delete an object that somebody made anew in its place', async () => {
    const api = new MemoryCluster();
    const result = await run(api, service([3306]));
    change(api, { metadata: { ...present(api).metadata, uid: 'another' } });
    assert.equal((await undoPlan(result)).error?.code, 'cluster.changed-since');
  });
});
