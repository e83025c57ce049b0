import assert from 'node:assert/strict';
import { ClusterReadings } from '../../../src/editor/clusterReadings.ts';
import { MeshError } from '../../../src/mesh/errors.ts';
import type { ChangedObject, ClusterOverview } from '../../../src/mesh/mesh.ts';
import { message } from '../../../src/mesh/messages.ts';
import type { ControlPlane, Inventory } from '../../../src/mesh/model.ts';

const plane = (release: string): ControlPlane => ({
  era: 'istiod',
  release,
  source: { value: release, from: { kind: 'inventory', field: 'istio.release' } },
});
const service = (name: string): ChangedObject => ({ kind: 'Service', namespace: 'shop', name });
const connects: ChangedObject = { kind: 'WorkloadEntry', namespace: 'vm', name: 'e', stateOnly: true };

/** A cluster of which each reading ends when the test says so. */
function cluster() {
  const asked: string[] = [];
  const ends: PromiseWithResolvers<undefined>[] = [];
  const state = { release: '1.31.0', inventory: { version: 1, clusters: [], vms: [], services: [] } as Inventory };
  const reading = async (what: string): Promise<ClusterOverview> => {
    const controlPlane = plane(state.release);
    asked.push(what);
    const end = Promise.withResolvers<undefined>();
    ends.push(end);
    await end.promise;
    return { controlPlane, loadBalancers: [], services: [], unmanaged: [] };
  };
  const told: string[] = [];
  const readings = new ClusterReadings({
    mesh: async () => ({
      inventory: () => state.inventory,
      overview: (_, options) => reading(options?.fresh === true ? 'whole, fresh' : 'whole'),
      overviewAfter: async (_, before, changed) => {
        const after = await reading(changed.map(({ name }) => name).join());
        return { ...after, controlPlane: before.controlPlane };
      },
      controlPlane: async () => plane(state.release),
    }),
    timeoutMs: () => 1000,
    changed: { fire: () => undefined },
    onReadAgain: (name) => void told.push(name),
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    readings,
    asked,
    state,
    told,
    end: async (error?: Error) => {
      await settle();
      const end = ends.shift() ?? assert.fail('nothing is read');
      if (error === undefined) end.resolve(undefined);
      else end.reject(error);
      await settle();
    },
  };
}

/** One that was read. */
async function opened() {
  const made = cluster();
  const read = made.readings.read('prod');
  await made.end();
  await read;
  made.asked.length = 0;
  return made;
}

describe('readings of a cluster', () => {
  it('take in everything that changed while another was under way, whatever was told first', async () => {
    const { readings, asked, end, told } = await opened();
    const all = [readings.readChanged('prod', [connects])];
    await new Promise((resolve) => setImmediate(resolve));
    all.push(readings.readChanged('prod', [service('web')]), readings.readChanged('prod', [connects, service('db')]));
    await end();
    await end();
    await Promise.all(all);
    assert.deepEqual(asked, ['e', 'web,e,db']);
    assert.deepEqual(told, ['prod', 'prod']);
    await readings.readChanged('prod', []);
    assert.equal(asked.length, 2, 'nothing is left to read');
  });

  it('leave what a whole reading has seen', async () => {
    const { readings, asked, end } = await opened();
    const first = readings.readChanged('prod', [service('web')]);
    await new Promise((resolve) => setImmediate(resolve));
    const whole = readings.readAnew('prod');
    const later = readings.readChanged('prod', [service('db')]);
    await end();
    await end();
    await Promise.all([first, whole, later]);
    assert.deepEqual(asked, ['web', 'whole, fresh']);
  });

  it('are of everything after one that failed, with another inventory, for very many objects, and where nobody knows which', async () => {
    const { readings, asked, end, state } = await opened();
    const failing = readings.readChanged('prod', [service('web')]);
    await end(new MeshError({ code: 'kube.timeout', userMessage: message('kube.timeout') }));
    const { value, error } = await failing;
    assert.deepEqual([value?.services, error?.code], [[], 'kube.timeout'], 'what was known stays, beside the error');
    const read = async (...changed: Parameters<typeof readings.readChanged>) => {
      const done = readings.readChanged(...changed);
      await end();
      return done;
    };
    assert.equal((await read('prod', [service('db')])).error, undefined);
    await read('prod', [service('db')]);
    state.inventory = { ...state.inventory, services: [{ name: 'db' } as Inventory['services'][number]] };
    await read('prod', [service('db')]);
    await read('prod', [service('db')]);
    await read(
      'prod',
      Array.from({ length: 21 }, (_, index) => service(`s${index}`)),
    );
    await read('prod', 'all');
    assert.deepEqual(asked, ['web', 'whole', 'db', 'whole', 'db', 'whole', 'whole']);
  });

  it('follow a control plane that is another than what is shown', async () => {
    const { readings, asked, end, state } = await opened();
    const { signal } = new AbortController();
    await readings.lookAgain('prod', signal);
    assert.deepEqual(asked, []);
    state.release = '1.32.0';
    await readings.lookAgain('prod', AbortSignal.abort());
    assert.deepEqual(asked, [], 'nobody looks any more');
    const looking = readings.lookAgain('prod', signal);
    await end();
    await looking;
    assert.deepEqual([asked, readings.get('prod').value?.controlPlane.release], [['whole'], '1.32.0']);
  });
});
