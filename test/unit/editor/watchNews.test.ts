import assert from 'node:assert/strict';
import type { KubeObject, WatchEvent } from '../../../src/mesh/ports.ts';
import { newsOf } from '../../../src/editor/watchNews.ts';

const entry = (
  more: { readonly annotations?: Record<string, string>; readonly status?: unknown; readonly address?: string } = {},
): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'WorkloadEntry',
  metadata: { namespace: 'vm', name: 'mysql-10.0.0.5', annotations: more.annotations ?? {} },
  spec: { address: more.address ?? '10.0.0.5' },
  status: more.status,
});
const event = (object: KubeObject, type: WatchEvent['type'] = 'MODIFIED'): WatchEvent => ({ type, object });

describe('news of a watch', () => {
  it('of a workload entry: what connects or fails is read alone, what comes, goes or moves with everything', () => {
    const seen = new Map<string, string>();
    assert.equal(newsOf(event(entry(), 'ADDED'), seen), 'all');
    assert.equal(newsOf(event(entry()), seen), 'none', 'nothing is new');
    const connected = { 'istio.io/connectedAt': '2026-01-02T03:04:05Z' };
    assert.equal(newsOf(event(entry({ annotations: connected })), seen), 'groups');
    const status = { conditions: [{ type: 'Healthy', status: 'False' }] };
    assert.equal(newsOf(event(entry({ annotations: connected, status })), seen), 'groups');
    assert.equal(newsOf(event(entry({ annotations: connected, status, address: '10.0.0.6' })), seen), 'all');
    assert.equal(newsOf(event(entry(), 'DELETED'), seen), 'all');
    assert.equal(newsOf(event(entry(), 'DELETED'), seen), 'none');
  });

  it('of other kinds: annotations are other programs’ notes, and elections are none', () => {
    const seen = new Map<string, string>();
    const endpoints = (annotations: Record<string, string>): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { namespace: 'vm', name: 'mysql', annotations },
      subsets: [],
    });
    assert.equal(newsOf(event(endpoints({ 'control-plane.alpha.kubernetes.io/leader': '{}' }), 'ADDED'), seen), 'none');
    assert.equal(newsOf(event(endpoints({}), 'ADDED'), seen), 'all');
    assert.equal(newsOf(event(endpoints({ 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-02T03:04:05Z' })), seen), 'none');
  });
});
