import assert from 'node:assert/strict';
import { planRegister } from '../../../../src/mesh/istiod/registration.ts';
import type { ServiceEntry } from '../../../../src/mesh/model.ts';
import { runPlan } from '../../../../src/mesh/planRunner.ts';
import { object, vmScope, world } from './support.ts';

const service: ServiceEntry = {
  name: 'mysql',
  cluster: 'prod',
  namespace: 'vm',
  ports: [{ name: 'tcp-mysql', port: 3306, targetPort: 3306, protocol: 'TCP' }],
  vms: ['db-1'],
  serviceAccount: 'default',
  labels: {},
  annotations: {},
};

/** As istiod registers a machine by itself (istiod facts 3.3). */
const automaticEntry = (labels: object) =>
  object('WorkloadEntry', 'mysql-10.0.0.5', 'vm', {
    metadata: { name: 'mysql-10.0.0.5', namespace: 'vm', annotations: { 'istio.io/autoRegistrationGroup': 'mysql' } },
    spec: { address: '10.0.0.5', labels },
  });

describe('registering a service of a machine whose address only the machine knows', () => {
  const plan = (labels: object) =>
    planRegister(vmScope(world(automaticEntry(labels)), { vm: { address: undefined } }), service, new Map([['db-1', '10.0.0.5']]));

  it('holds its automatic entry against the selector', async () => {
    const [, selection] = (await plan({ app: 'mysql' })).steps;
    const { details = [] } = (await selection?.preview()) ?? {};
    assert.deepEqual(
      details.map((detail) => (detail.kind === 'note' ? [detail.text.id, detail.text.args] : detail)),
      [['istiod.register.takes', { name: 'vm/mysql-10.0.0.5', vm: 'db-1' }]],
    );
  });

  it('names the entry that the selector does not take', async () => {
    const { error } = await runPlan(await plan({ app: 'other' }));
    assert.equal(error?.code, 'istiod.register.not-selected');
    assert.equal(error.userMessage.args.entries, 'vm/mysql-10.0.0.5');
  });
});
