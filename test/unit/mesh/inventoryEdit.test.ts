import assert from 'node:assert/strict';
import { isMeshError } from '../../../src/mesh/errors.ts';
import {
  addCluster,
  addService,
  addVm,
  adoptAddress,
  removeService,
  removeVm,
  setInboundPorts,
  updateCluster,
  updateVm,
} from '../../../src/mesh/inventoryEdit.ts';

const text = `# Our mesh
version: 1
clusters:
  - name: prod # the big one
    context: prod
vms:
  # the database
  - name: db-1
    cluster: prod
    namespace: vm
    inboundPorts: [3306] # mysql
  - { name: web-2, cluster: prod, namespace: vm }
services:
  - name: mysql
    cluster: prod
    namespace: onprem
    ports: [{ name: mysql, port: 3306 }]
    vms: [db-1]
`;

describe('edits of the inventory', () => {
  it('begins a new inventory from nothing', () => {
    let made = addCluster('', { context: 'prod', loadBalancers: { provider: 'gcp' } });
    made = addVm(made, { name: 'db-1', cluster: 'prod', namespace: 'vm', inboundPorts: [3306, 8080] });
    made = addService(made, { name: 'mysql', cluster: 'prod', namespace: 'onprem', ports: [{ name: 'mysql', port: 3306 }], vms: ['db-1'] });
    assert.equal(
      made,
      `version: 1
clusters:
  - context: prod
    loadBalancers:
      provider: gcp
vms:
  - name: db-1
    cluster: prod
    namespace: vm
    inboundPorts: [3306, 8080]
services:
  - name: mysql
    cluster: prod
    namespace: onprem
    ports: [{ name: mysql, port: 3306 }]
    vms: [db-1]
`,
    );
  });

  it('keeps comments and order, and touches nothing else', () => {
    assert.equal(
      addVm(text, { name: 'app-3', cluster: 'prod', namespace: 'vm' }),
      text.replace('services:\n', '  - name: app-3\n    cluster: prod\n    namespace: vm\nservices:\n'),
    );
    assert.equal(setInboundPorts(text, 'db-1', [3306, 8080]), text.replace('[3306] # mysql', '[3306, 8080] # mysql'));
    assert.equal(
      setInboundPorts(text.replace('[db-1]', '[ db-1 ]'), 'web-2', '*'),
      text.replace('[db-1]', '[ db-1 ]').replace('namespace: vm }', 'namespace: vm, inboundPorts: "*" }'),
    );
    assert.equal(updateVm(text, 'db-1', { namespace: 'data' }), text.replace('namespace: vm\n', 'namespace: data\n'));
    assert.equal(
      updateCluster(text, 'prod', { istio: { release: '1.0.3' } }),
      text.replace('context: prod\n', 'context: prod\n    istio:\n      release: 1.0.3\n'),
    );
  });

  it('removes a key, and a VM with its place in the services', () => {
    assert.equal(setInboundPorts(text, 'db-1', undefined), text.replace('    inboundPorts: [3306] # mysql\n', ''));
    const removed = removeVm(text, 'db-1');
    assert.match(removed, /vms: \[\]/);
    assert.doesNotMatch(removed, /db-1/);
    assert.match(removed, /web-2/);
    assert.match(removed, /^# Our mesh/);
  });

  it('removes a service, and knows it by its namespace too', () => {
    const removed = removeService(text, 'mysql', 'onprem');
    assert.match(removed, /services: \[\]/);
    assert.match(removed, /name: web-2/);
    assert.match(removed, /# the database/);
    assert.throws(
      () => removeService(text, 'mysql', 'vm'),
      (error: unknown) => isMeshError(error, 'inventory.unknown-name'),
    );
  });

  it('adopts an address into the VMs and the services that have it', () => {
    const adopted = adoptAddress(text, { name: 'old', cluster: 'prod', namespace: 'vm', address: '10.1.0.9' }, [
      { name: 'mysql', namespace: 'onprem' },
    ]);
    assert.match(adopted, /name: old\n {4}cluster: prod\n {4}namespace: vm\n {4}address: 10\.1\.0\.9\n/);
    assert.match(adopted, /vms: \[db-1, old\]/);
  });

  it('quotes what YAML would read as something else', () => {
    assert.match(addCluster('', { context: 'prod', istio: { release: '1.4' } }), /release: "1\.4"/);
  });

  it('refuses what would be no inventory', () => {
    const refusals: [() => string, string][] = [
      [() => addVm(text, { name: 'db-1', cluster: 'prod', namespace: 'vm' }), 'inventory.invalid'],
      [() => addVm(text, { name: '-x', cluster: 'prod', namespace: 'vm' }), 'inventory.invalid'],
      [() => addVm(text, { name: 'x', cluster: 'prodd', namespace: 'vm' }), 'inventory.invalid'],
      [() => setInboundPorts(text, 'db-1', [0]), 'inventory.invalid'],
      [() => setInboundPorts(text, 'db-9', [1]), 'inventory.unknown-name'],
      [() => addVm('version: 1\nvmz: []\n', { name: 'x', cluster: 'prod', namespace: 'vm' }), 'inventory.invalid'],
    ];
    for (const [change, code] of refusals) assert.throws(change, (error: unknown) => isMeshError(error, code), `expected ${code}`);
  });

  it('keeps a file of comments, and fills empty lists', () => {
    assert.match(addCluster('# ours\n', { context: 'prod' }), /^# ours\n/);
    assert.equal(addCluster('version: 1\nclusters: []\nvms:\n', { context: 'prod' }), 'version: 1\nclusters:\n  - context: prod\nvms:\n');
  });
});
