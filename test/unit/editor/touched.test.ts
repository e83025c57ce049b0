import assert from 'node:assert/strict';
import { askedBefore, enteredAs, touchedBy, touchedByGroups } from '../../../src/editor/touched.ts';
import type { Held } from '../../../src/editor/shelf.ts';
import { MeshError } from '../../../src/mesh/errors.ts';
import { message } from '../../../src/mesh/messages.ts';
import type { VmEntry, WorkloadGroupFacts } from '../../../src/mesh/model.ts';

const vm = (name: string, namespace = 'vm', cluster = 'prod', workloadGroup = 'mysql'): VmEntry => ({
  name,
  host: name,
  cluster,
  namespace,
  serviceAccount: 'default',
  workloadGroup,
});
const group = (name: string, labels: Record<string, string> = {}): WorkloadGroupFacts => ({
  ref: { apiVersion: 'networking.istio.io/v1', kind: 'WorkloadGroup', namespace: 'vm', name },
  group: { namespace: 'vm', name, serviceAccount: 'default', labels, annotations: {}, ports: {} },
  entries: [],
});
const failure = (kind: 'failed' | 'person') => new MeshError({ code: 'host.key-unknown', kind, userMessage: message('status.in-sync') });

describe('machines that a change in the cluster touches', () => {
  const vms = [vm('a'), vm('b', 'other'), vm('elsewhere', 'vm', 'test'), vm('never'), vm('person'), vm('away')];
  const held: Readonly<Record<string, Held<unknown>>> = {
    a: { loading: false, at: 1, value: {} },
    b: { loading: false, at: 1, value: {} },
    elsewhere: { loading: false, at: 1, value: {} },
    never: { loading: true },
    person: { loading: false, at: 1, error: failure('person') },
    away: { loading: false, at: 1, error: failure('failed') },
  };
  const asked = (touches: (vm: VmEntry) => boolean) => askedBefore({ vms }, 'prod', touches, (name) => held[name] ?? { loading: false });

  it('are asked again where they were asked before, in this cluster, and wait for no person', () => {
    assert.deepEqual(asked(touchedBy(['all'])), ['a', 'b', 'away']);
  });

  it('are those of the namespace whose root certificate changed', () => {
    assert.deepEqual(asked(touchedBy([{ namespace: 'vm' }])), ['a', 'away']);
    assert.deepEqual(asked(touchedBy([{ namespace: 'vm' }, 'all'])), ['a', 'b', 'away']);
    assert.deepEqual(asked(touchedBy([])), []);
  });

  it('are those whose entry in the inventory, or whose cluster there, is another', () => {
    const cluster = (name: string, release = '1.0.3') => ({
      name,
      context: name,
      istio: { namespace: 'istio-system', release },
      clusterDomain: 'cluster.local',
    });
    const clusters = [cluster('prod'), cluster('test')];
    const before = enteredAs({ clusters }, vm('a'));
    assert.equal(enteredAs({ clusters: clusters.toReversed() }, vm('a')), before);
    assert.equal(enteredAs({ clusters: [cluster('prod')] }, vm('a')), before);
    assert.notEqual(enteredAs({ clusters }, { ...vm('a'), inboundPorts: [80] }), before);
    assert.notEqual(enteredAs({ clusters: [cluster('prod', '1.4')] }, vm('a')), before);
  });

  it('are those of groups that were edited, made or removed', () => {
    const touches = (before: readonly WorkloadGroupFacts[], after: readonly WorkloadGroupFacts[]) =>
      [vm('m'), vm('c', 'vm', 'prod', 'client'), vm('n', 'other')].filter(touchedByGroups(before, after)).map(({ name }) => name);
    assert.deepEqual(touches([group('mysql')], [group('mysql')]), []);
    assert.deepEqual(touches([group('mysql'), group('client')], [group('mysql', { version: 'v2' }), group('client')]), ['m']);
    assert.deepEqual(touches([group('mysql')], [group('mysql'), group('client')]), ['c']);
    assert.deepEqual(touches([group('mysql'), group('client')], [group('mysql')]), ['c']);
  });
});
