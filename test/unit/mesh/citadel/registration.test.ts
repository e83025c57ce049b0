import assert from 'node:assert/strict';
import { readServices } from '../../../../src/mesh/citadel/registeredServices.ts';
import { planDeregister, planRegister } from '../../../../src/mesh/citadel/registration.ts';
import type { ServiceEntry } from '../../../../src/mesh/model.ts';
import { runPlan, undoPlan } from '../../../../src/mesh/planRunner.ts';
import type { PlanResult } from '../../../../src/mesh/plan.ts';
import { MemoryCluster } from '../../support/memoryCluster.ts';
import { clusterScope, coded, serviceEntry, vmEntry } from './support.ts';

const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'onprem' } };
const one = new Map([['db-1', '10.1.0.3']]);
const two = new Map([['db-2', '10.1.0.4']]);

async function register(api: MemoryCluster, service: ServiceEntry, addresses = one): Promise<PlanResult> {
  return runPlan(await planRegister(clusterScope(api, '1.0.3'), service, addresses));
}

const subsets = (api: MemoryCluster): unknown => api.find('Endpoints', 'onprem', 'mysql')?.subsets;

describe('citadel registration', () => {
  let api: MemoryCluster;
  beforeEach(() => {
    api = new MemoryCluster(namespace);
  });

  it('makes a Service without selector and its Endpoints, both annotated', async () => {
    const service = serviceEntry({ labels: { app: 'mysql' }, annotations: { note: 'by hand' }, serviceAccount: 'db' });
    assert.equal((await register(api, service)).ok, true);
    const annotations = { note: 'by hand', 'alpha.istio.io/kubernetes-serviceaccounts': 'db' };
    const made = api.find('Service', 'onprem', 'mysql')!;
    assert.deepEqual(made.metadata.annotations, annotations);
    assert.deepEqual(made.metadata.labels, { app: 'mysql' });
    assert.deepEqual(made.spec, { ports: [{ name: 'mysql', port: 3306, targetPort: 3306, protocol: 'TCP' }] });
    const endpoints = api.find('Endpoints', 'onprem', 'mysql')!;
    assert.deepEqual(endpoints.metadata.annotations, annotations);
    assert.deepEqual(endpoints.metadata.labels, { app: 'mysql' });
    assert.deepEqual(endpoints.subsets, [{ addresses: [{ ip: '10.1.0.3' }], ports: [{ name: 'mysql', port: 3306, protocol: 'TCP' }] }]);
  });

  it('lists an address once, and a second time changes nothing', async () => {
    await register(api, serviceEntry());
    const writes = api.writes.length;
    const again = await register(api, serviceEntry());
    assert.deepEqual([again.ok, again.changed, api.writes.length], [true, false, writes]);
  });

  it('names the address of two names of one machine once', async () => {
    const same = new Map([...one, ['db-one', '10.1.0.3']]);
    assert.equal((await planRegister(clusterScope(api, '1.0.3'), serviceEntry(), same)).title.args.addresses, '10.1.0.3');
    await register(api, serviceEntry(), same);
    assert.deepEqual(subsets(api), [{ addresses: [{ ip: '10.1.0.3' }], ports: [{ name: 'mysql', port: 3306, protocol: 'TCP' }] }]);
  });

  it('lets a second machine join the subset with the same ports, else makes another', async () => {
    await register(api, serviceEntry());
    await register(api, serviceEntry(), two);
    assert.deepEqual(subsets(api), [
      { addresses: [{ ip: '10.1.0.3' }, { ip: '10.1.0.4' }], ports: [{ name: 'mysql', port: 3306, protocol: 'TCP' }] },
    ]);
    await register(api, serviceEntry({ ports: [{ name: 'mysql', port: 3306, targetPort: 3307, protocol: 'TCP' }] }), two);
    assert.deepEqual(subsets(api), [
      { addresses: [{ ip: '10.1.0.3' }], ports: [{ name: 'mysql', port: 3306, protocol: 'TCP' }] },
      { addresses: [{ ip: '10.1.0.4' }], ports: [{ name: 'mysql', port: 3307, protocol: 'TCP' }] },
    ]);
  });

  it('takes an address that is listed twice down to once', async () => {
    api.put({
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'mysql', namespace: 'onprem' },
      subsets: [{ addresses: [{ ip: '10.1.0.3' }, { ip: '10.1.0.3' }], ports: [{ name: 'mysql', port: 3306 }] }],
    });
    await register(api, serviceEntry());
    assert.deepEqual(subsets(api), [{ addresses: [{ ip: '10.1.0.3' }], ports: [{ name: 'mysql', port: 3306, protocol: 'TCP' }] }]);
  });

  it('tries again when another write came in between', async () => {
    await register(api, serviceEntry());
    api.conflicts = 2;
    assert.equal((await register(api, serviceEntry(), two)).ok, true);
    api.conflicts = 100;
    assert.equal((await register(api, serviceEntry(), new Map([['db-3', '10.1.0.5']]))).error?.code, 'kube.conflict');
  });

  it('refuses before anything is changed', async () => {
    const plan = (service: ServiceEntry, addresses: ReadonlyMap<string, string> = one) =>
      planRegister(clusterScope(api, '1.0.3'), service, addresses);
    const port = (name: string, number: number) => ({ name, port: number, targetPort: number, protocol: 'TCP' as const });
    await assert.rejects(plan(serviceEntry({ namespace: 'nowhere' })), coded('citadel.namespace-missing'));
    await assert.rejects(plan(serviceEntry({ ports: [port('http', 80), port('http', 8080)] })), coded('citadel.register.ports-twice'));
    await assert.rejects(plan(serviceEntry(), new Map()), coded('citadel.register.no-vms'));
    await assert.rejects(plan(serviceEntry(), new Map([['db-1', '127.0.0.1']])), coded('citadel.register.address'));
    await assert.rejects(plan(serviceEntry(), new Map([['db-1', 'fd00::5']])), coded('citadel.register.address'));
    api.put({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'mysql', namespace: 'onprem' }, spec: { selector: { app: 'mysql' } } });
    await assert.rejects(plan(serviceEntry()), coded('citadel.register.selector'));
    assert.deepEqual(api.writes, []);
  });

  it('undoes what it made, and only that', async () => {
    const result = await register(api, serviceEntry());
    assert.equal((await undoPlan(result)).ok, true);
    assert.deepEqual([api.find('Service', 'onprem', 'mysql'), api.find('Endpoints', 'onprem', 'mysql')], [undefined, undefined]);
    await register(api, serviceEntry());
    const second = await register(api, serviceEntry(), two);
    await undoPlan(second);
    assert.deepEqual(subsets(api), [{ addresses: [{ ip: '10.1.0.3' }], ports: [{ name: 'mysql', port: 3306, protocol: 'TCP' }] }]);
  });

  it('deregisters as istioctl does: out of all subsets, Service and Endpoints stay', async () => {
    await register(api, serviceEntry());
    await register(api, serviceEntry(), two);
    const plan = async () => planDeregister(clusterScope(api, '1.0.3'), serviceEntry(), one);
    const result = await runPlan(await plan());
    assert.equal(result.changed, true);
    assert.deepEqual(subsets(api), [{ addresses: [{ ip: '10.1.0.4' }], ports: [{ name: 'mysql', port: 3306, protocol: 'TCP' }] }]);
    await undoPlan(result);
    assert.equal(JSON.stringify(subsets(api)).includes('10.1.0.3'), true);
    await runPlan(await plan());
    await runPlan(await planDeregister(clusterScope(api, '1.0.3'), serviceEntry(), two));
    assert.deepEqual(subsets(api), []);
    assert.notEqual(api.find('Service', 'onprem', 'mysql'), undefined);
    assert.equal((await runPlan(await plan())).changed, false);
  });

  it('leaves what others wrote into the Endpoints', async () => {
    api.put({
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'mysql', namespace: 'onprem', annotations: { theirs: 'x' } },
      subsets: [
        {
          addresses: [{ ip: '10.9.9.9', nodeName: 'n' }],
          notReadyAddresses: [{ ip: '10.9.9.8' }],
          ports: [{ name: 'mysql', port: 3306, protocol: 'TCP' }],
        },
      ],
    });
    await register(api, serviceEntry());
    await runPlan(await planDeregister(clusterScope(api, '1.0.3'), serviceEntry(), one));
    assert.deepEqual(subsets(api), [
      {
        addresses: [{ ip: '10.9.9.9', nodeName: 'n' }],
        notReadyAddresses: [{ ip: '10.9.9.8' }],
        ports: [{ name: 'mysql', port: 3306, protocol: 'TCP' }],
      },
    ]);
    assert.equal(api.find('Endpoints', 'onprem', 'mysql')!.metadata.annotations?.theirs, 'x');
  });

  it('shows registered services and whose addresses they have', async () => {
    await register(api, serviceEntry());
    api.put({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kubernetes', namespace: 'default' },
      spec: { clusterIP: '10.96.0.1', ports: [{ port: 443 }] },
    });
    const scope = clusterScope(api, '1.0.3', undefined, { vms: [vmEntry({ address: '10.1.0.3' })] });
    assert.deepEqual(await readServices(scope), [
      {
        ref: { apiVersion: 'v1', kind: 'Service', namespace: 'onprem', name: 'mysql' },
        clusterIp: undefined,
        ports: [{ name: 'mysql', port: 3306, targetPort: 3306, protocol: 'TCP' }],
        endpoints: [{ address: '10.1.0.3', ports: [3306], vm: 'db-1' }],
      },
    ]);
  });
});
