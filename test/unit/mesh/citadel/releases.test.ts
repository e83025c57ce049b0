import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { eraOf, parseRelease, releaseFacts } from '../../../../src/mesh/citadel/releases.ts';

/** Load balancers by release, from the table of citadel facts 3. */
const ports: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  '0.2.7': { 'istio-pilot-ilb': ['8080'], 'mixer-ilb': ['9091'], 'istio-ca-ilb': ['8060'], 'dns-ilb': ['53'] },
  '0.2.12': { 'istio-pilot-ilb': ['8080'], 'mixer-ilb': ['9091'], 'istio-ca-ilb': ['8060'], 'dns-ilb': ['53'] },
  '0.3.0': { 'istio-pilot-ilb': ['8080'], 'mixer-ilb': ['9091'], 'istio-ca-ilb': ['8060'], 'dns-ilb': ['53'] },
  '0.4.0': { 'istio-pilot-ilb': ['15003'], 'mixer-ilb': ['15004'], 'istio-ca-ilb': ['8060'], 'dns-ilb': ['53'] },
  '0.5.1': {
    'istio-pilot-ilb': ['https-pilot 15003', 'http-pilot 8080'],
    'mixer-ilb': ['15004'],
    'istio-ca-ilb': ['8060'],
    'dns-ilb': ['53'],
  },
  '0.6.0': {
    'istio-pilot-ilb': ['https-pilot 15003', 'http-pilot 8080'],
    'mixer-ilb': ['15004'],
    'istio-ca-ilb': ['8060'],
    'dns-ilb': ['53'],
  },
  '0.7.1': {
    'istio-pilot-ilb': ['https-pilot 15005', 'http-pilot 8080'],
    'mixer-ilb': ['15004'],
    'istio-ca-ilb': ['8060'],
    'dns-ilb': ['53'],
  },
  '0.8.0': {
    'istio-pilot-ilb': ['https-pilot 15005', 'http-pilot 8080', 'grpc-pilot 15010', 'tls-grpc-pilot 15011'],
    'mixer-ilb': ['15004'],
    'citadel-ilb': ['8060'],
    'dns-ilb': ['53'],
  },
  '1.0.3': {
    'istio-pilot-ilb': ['https-pilot 15005', 'http-pilot 8080', 'grpc-pilot 15010', 'tls-grpc-pilot 15011'],
    'mixer-ilb': ['15004'],
    'citadel-ilb': ['8060'],
    'dns-ilb': ['53'],
  },
  '1.4.10': {
    'istio-pilot-ilb': ['https-pilot 15005', 'http-pilot 8080', 'grpc-pilot 15010', 'tls-grpc-pilot 15011'],
    'mixer-ilb': ['15004'],
    'citadel-ilb': ['8060'],
    'dns-ilb': ['53'],
  },
};

describe('citadel releases', () => {
  for (const [release, expected] of Object.entries(ports)) {
    it(`has the load balancers of ${release}`, () => {
      const found = releaseFacts(release)!.balancers.map((balancer) => [
        balancer.name,
        balancer.ports.map(({ name, port }) => (name === undefined ? String(port) : `${name} ${port}`)),
      ]);
      assert.deepEqual(Object.fromEntries(found), expected);
    });
  }

  it('asks Pilot by key until 0.8 and for the list since 1.0', () => {
    const asked = (release: string): string =>
      `${releaseFacts(release)!.registration.kind} ${releaseFacts(release)!.registration.portName}`.trim();
    assert.deepEqual(['0.2.12', '0.5.1', '0.8.0', '1.0.0', '1.4.10'].map(asked), [
      'key http-discovery',
      'key http-discovery',
      'key http-legacy-discovery',
      'list',
      'list',
    ]);
  });

  it('knows the default port of Pilot in the start script', () => {
    assert.deepEqual(
      ['0.4.0', '0.5.1', '1.0.0', '1.0.1', '1.4.0'].map((release) => releaseFacts(release)!.pilotPort),
      [undefined, 8080, 8080, 15011, 15011],
    );
  });

  it('picks the newest row that is not newer', () => {
    assert.equal(releaseFacts('0.2.9')!.release, '0.2.7');
    assert.equal(releaseFacts('0.7.1')!.release, '0.7.1');
    assert.equal(releaseFacts('1.0.9')!.release, '1.0.1');
    assert.equal(releaseFacts('v1.4.10-distroless')!.release, '1.4.4');
    assert.equal(releaseFacts('1.1.0.snapshot.5')!.release, '1.1.0');
    assert.equal(releaseFacts('0.8.0_debug')!.release, '0.8.0');
  });

  it('knows which packages do not start', () => {
    const defect = (release: string): boolean => releaseFacts(release)!.packageDefect !== undefined;
    assert.deepEqual(['1.3.8', '1.4.0', '1.4.3', '1.4.4', '1.4.10', '1.4.2-1'].map(defect), [false, true, true, false, false, true]);
  });

  it('begins with 0.2.7 and ends before 1.5', () => {
    assert.deepEqual(['0.2.6', '0.2.7', '1.4.10', '1.5.0', '1.9.0', 'latest'].map(eraOf), [
      'before',
      'citadel',
      'citadel',
      'after',
      'after',
      undefined,
    ]);
    assert.equal(parseRelease('release-1.0-20180801'), undefined);
  });

  it('keeps release numbers in its table alone', () => {
    for (const folder of ['citadel', 'lint']) {
      const url = new URL(`../../../../src/mesh/${folder}/`, import.meta.url);
      for (const name of readdirSync(url).filter((file) => file.endsWith('.ts') && file !== 'releases.ts')) {
        const code = readFileSync(new URL(name, url), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
        const found = [...code.matchAll(/['"`]v?[01]\.\d+(\.\d+)?['"`]/g)].map(([text]) => text);
        assert.deepEqual(found, [], name);
      }
    }
  });
});
