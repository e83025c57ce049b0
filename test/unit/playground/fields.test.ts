import assert from 'node:assert/strict';
import type { KubeObject } from '../../../src/mesh/ports.ts';
import { applyFields, fieldsOf, withFields } from '../../../src/playground/cluster/fields.ts';

const object = (spec: Record<string, unknown>, annotations?: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'a', namespace: 'b', annotations },
  spec,
});

describe('field ownership', () => {
  it('puts an object together again', () => {
    const given = object(
      {
        type: 'LoadBalancer',
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        ],
        externalIPs: ['192.0.2.1'],
      },
      { a: 'b' },
    );
    assert.deepEqual(JSON.parse(JSON.stringify(withFields(given, fieldsOf(given)))), JSON.parse(JSON.stringify(given)));
  });

  it('names the field and the manager that owns it, and only where the value would change', () => {
    const present = fieldsOf(object({ type: 'LoadBalancer', selector: { istio: 'pilot' } }));
    const owners = new Map([...present.keys()].map((path) => [path, 'helm']));
    const same = applyFields(present, owners, fieldsOf(object({ type: 'LoadBalancer' })), 'mesh-expansion');
    assert.deepEqual(same.conflicts, []);
    const other = applyFields(present, owners, fieldsOf(object({ type: 'ClusterIP' })), 'mesh-expansion');
    assert.deepEqual(other.conflicts, [{ path: 'spec.type', owner: 'helm' }]);
  });
});
