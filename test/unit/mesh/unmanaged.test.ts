import assert from 'node:assert/strict';
import { parseInventory } from '../../../src/mesh/inventory.ts';
import type { RegisteredService } from '../../../src/mesh/model.ts';
import { unmanagedVms } from '../../../src/mesh/unmanaged.ts';

const { inventory } = parseInventory(`version: 1
clusters: [{ context: prod }]
vms: [{ name: db-1, cluster: prod, namespace: vm }]
services: [{ name: mysql, cluster: prod, namespace: onprem, ports: [{ name: mysql, port: 3306 }], vms: [db-1] }]
`);

function service(name: string, ...addresses: string[]): RegisteredService {
  return {
    ref: { apiVersion: 'v1', kind: 'Service', namespace: 'onprem', name },
    ports: [],
    endpoints: addresses.map((address) => ({ address, ports: [3306] })),
  };
}

describe('unmanaged machines', () => {
  it('are the addresses that no VM of the inventory has', () => {
    assert.deepEqual(
      unmanagedVms('prod', inventory, [service('mysql', '10.0.0.5', '10.1.0.9'), service('web', '10.1.0.9')], () => '10.0.0.5'),
      [{ address: '10.1.0.9', services: ['onprem/mysql', 'onprem/web'] }],
    );
  });

  it('never are what may be a VM that was not asked for its address yet', () => {
    assert.deepEqual(
      unmanagedVms('prod', inventory, [service('mysql', '10.0.0.5')], () => undefined),
      [],
    );
    assert.deepEqual(
      unmanagedVms('prod', inventory, [service('web', '10.0.0.5')], () => undefined).map(({ address }) => address),
      ['10.0.0.5'],
    );
  });
});
