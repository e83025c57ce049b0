import assert from 'node:assert/strict';
import { placesOf } from '../../../src/providers/namesInLine.ts';

describe('names in a line of a terminal', () => {
  const cases: readonly (readonly [line: string, name: string, places: readonly number[]])[] = [
    ['ok    10.150.0.6, the address of istio-pilot-ilb', 'istio-pilot-ilb', [33]],
    ['behind it (istio-system/istio-pilot-ilb has 0 endpoints)', 'istio-pilot-ilb', []],
    ['behind it (istio-system/istio-pilot-ilb has 0 endpoints)', 'istio-system/istio-pilot-ilb', [11]],
    ['/var/lib/istio/envoy/cluster.env: ISTIO_CP_AUTH', '/var/lib/istio/envoy/cluster.env', [0]],
    ['Look at /var/lib/istio/envoy/cluster.env.', '/var/lib/istio/envoy/cluster.env', [8]],
    ['/var/lib/istio/envoy/cluster.env.orig', '/var/lib/istio/envoy/cluster.env', []],
    ['/old/etc/hosts and /etc/hosts, /etc/hosts', '/etc/hosts', [19, 31]],
    ['dns-ilb.kube-system answers', 'dns-ilb', []],
    ['my-dns-ilb answers', 'dns-ilb', []],
  ];
  for (const [line, name, places] of cases)
    it(`${name} in ${JSON.stringify(line)}`, () => {
      assert.deepEqual(placesOf(name, line), places);
    });
});
