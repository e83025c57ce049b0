import assert from 'node:assert/strict';
import type { HostManifest, PushFile } from '../../../src/mesh/ports.ts';
import { parseDescribed } from '../../../src/ssh/describe.ts';
import { parseManifest, manifestText } from '../../../src/ssh/manifest.ts';
import { parsePlaces, planPush, type Situation } from '../../../src/ssh/pushPlan.ts';

// printf '%s' one | sha256sum, and two
const ONE = '7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed';
const TWO = '3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3';
const NOW = new Date('2026-01-02T03:04:05Z');
const owner = { vm: 'db', cluster: 'prod', era: 'citadel', release: '1.0.3' };
const file = (path: string, content = 'one', more: Partial<PushFile> = {}): PushFile => ({
  path,
  mode: 0o600,
  owner: 'root',
  group: 'root',
  content,
  ...more,
});

/** What the VM would print: files as `stat` and `hash` lines, directories that exist as `place` lines. */
function situation(lines: readonly string[], places: readonly string[], manifest?: HostManifest): Situation {
  return { manifest, described: parseDescribed(lines), places: parsePlaces(places) };
}
const there = (path: string, hash = ONE, mode = '8180', user = 'root'): string[] => [
  `stat ${mode} ${user} root 3 ${path}`,
  `hashes ${hash}  ${path}\0`,
];
const at = (path: string): string => `place /etc\t/etc\t${path}`;
const manifestOf = (paths: Record<string, { sha256?: string; original?: 'absent' | 'kept' }>): HostManifest => ({
  version: 1,
  owner,
  generation: 4,
  packages: [{ name: 'istio-sidecar', version: '1' }],
  units: [],
  created: { paths: ['/etc/certs'], users: [], groups: [] },
  files: Object.entries(paths).map(([path, { sha256 = ONE, original = 'absent' }]) => ({
    path,
    sha256,
    mode: 0o600,
    owner: 'root',
    group: 'root',
    time: '2026-01-01T00:00:00.000Z',
    original,
  })),
});

describe('what a push will do', () => {
  const plan = (request: Parameters<typeof planPush>[1], state: Situation) => planPush('db', request, state, '/originals', NOW);

  it('writes what is absent or differs in content, mode or owner, and leaves the rest', () => {
    const names = ['/etc/absent', '/etc/same', '/etc/content', '/etc/mode', '/etc/owner'];
    const lines = [
      ...there('/etc/same'),
      ...there('/etc/content', TWO),
      ...there('/etc/mode', ONE, '81a4'),
      ...there('/etc/owner', ONE, '8180', 'admin'),
    ];
    const found = plan({ owner, files: names.map((name) => file(name)) }, situation(lines, names.map(at)));
    assert.deepEqual(
      found.changes.map(({ path, keepOriginal }) => [path, keepOriginal]),
      [
        ['/etc/absent', false],
        ['/etc/content', true],
        ['/etc/mode', true],
        ['/etc/owner', true],
      ],
    );
    assert.deepEqual(found.unchanged, ['/etc/same']);
    assert.deepEqual(found.adopted, ['/etc/same'], 'its original is itself');
    assert.equal(found.manifest.generation, 1);
    assert.deepEqual(found.manifest.files[0], {
      path: '/etc/absent',
      sha256: ONE,
      mode: 0o600,
      owner: 'root',
      group: 'root',
      time: '2026-01-02T03:04:05.000Z',
      original: 'absent',
    });
    assert.deepEqual(
      found.manifest.files.map(({ original }) => original),
      ['absent', 'kept', 'kept', 'kept', 'kept'],
    );
  });

  it('changes nothing, the manifest neither, where all is as recorded', () => {
    const manifest = manifestOf({ '/etc/a': {} });
    const found = plan({ owner, files: [file('/etc/a')] }, situation(there('/etc/a'), [at('/etc/a')], manifest));
    assert.deepEqual([found.changes, found.adopted], [[], []]);
    assert.equal(found.manifest, manifest);
  });

  it('keeps the first original, what it knows of packages, and counts generations', () => {
    const found = plan(
      { owner, files: [file('/etc/a', 'two')] },
      situation(there('/etc/a'), [at('/etc/a')], manifestOf({ '/etc/a': { original: 'kept' } })),
    );
    assert.deepEqual(
      [found.changes[0]?.keepOriginal, found.manifest.generation, found.manifest.files[0]?.original, found.manifest.files[0]?.sha256],
      [false, 5, 'kept', TWO],
    );
    assert.deepEqual(found.manifest.packages, [{ name: 'istio-sidecar', version: '1' }]);
  });

  it('records the lines that it has put into a file, none that were there before', () => {
    const own = file('/etc/a', 'one', { ownLines: ['one'] });
    const push = (lines: readonly string[], manifest?: HostManifest): HostManifest =>
      plan({ owner, files: [own] }, situation(lines, [at('/etc/a')], manifest)).manifest;
    const first = push(there('/etc/a', TWO));
    assert.deepEqual(first.files[0]?.ownLines, ['one']);
    assert.deepEqual(parseManifest(manifestText(first)).files[0]?.ownLines, ['one']);
    assert.deepEqual(push(there('/etc/a'), first).files[0]?.ownLines, ['one']);
    assert.deepEqual(push(there('/etc/a')).files[0]?.ownLines, []);
  });

  it('gives a dropped file its original back, or takes it away', () => {
    const manifest = manifestOf({ '/etc/kept': { original: 'kept' }, '/etc/absent': {}, '/etc/gone': {} });
    const found = plan(
      { owner, files: [], drop: ['/etc/kept', '/etc/absent', '/etc/gone', '/etc/never'] },
      situation(
        [...there('/etc/kept'), ...there('/etc/absent')],
        ['/etc/kept', '/etc/absent', '/etc/gone', '/etc/never'].map(at),
        manifest,
      ),
    );
    assert.deepEqual(
      found.changes.map(({ path, to }) => [path, to.kind]),
      [
        ['/etc/kept', 'kept'],
        ['/etc/absent', 'absent'],
      ],
    );
    assert.deepEqual(found.manifest.files, []);
  });

  it('replaces a link, also one that leads to the right content', () => {
    const lines = ['leads other\t/etc/a', 'stat a1ff root root 5 /etc/a', 'linked 8180 root root 3 /etc/a', `hashes ${ONE}  /etc/a\0`];
    assert.deepEqual(
      plan({ owner, files: [file('/etc/a')] }, situation(lines, [at('/etc/a')])).changes.map(({ path }) => path),
      ['/etc/a'],
    );
  });

  it('stops where a file is not as expected', () => {
    const state = situation(there('/etc/a'), [at('/etc/a'), at('/etc/b')]);
    assert.throws(() => plan({ owner, files: [file('/etc/a', 'two', { expect: TWO })] }, state), { code: 'host.drift' });
    assert.throws(() => plan({ owner, files: [file('/etc/a', 'two', { expect: 'absent' })] }, state), { code: 'host.drift' });
    assert.throws(() => plan({ owner, files: [file('/etc/b', 'two', { expect: ONE })] }, state), { code: 'host.drift' });
    assert.equal(
      plan({ owner, files: [file('/etc/a', 'two', { expect: ONE }), file('/etc/b', 'two', { expect: 'absent' })] }, state).changes.length,
      2,
    );
  });

  it('refuses a directory, a device, and two names of one file', () => {
    assert.throws(() => plan({ owner, files: [file('/etc/a')] }, situation(['stat 41ed root root 3 /etc/a'], [at('/etc/a')])), {
      code: 'host.path-unsafe',
    });
    assert.throws(() => plan({ owner, files: [file('/etc/a')] }, situation(['stat 21b6 root root 0 /etc/a'], [at('/etc/a')])), {
      code: 'host.path-unsafe',
    });
    const places = ['place /var/lib/istio\t/etc/istio\t/etc/istio/x', 'place /var/lib/istio\t/var/lib/istio\t/var/lib/istio/x'];
    assert.throws(() => plan({ owner, files: [file('/etc/istio/x'), file('/var/lib/istio/x')] }, situation([], places)), {
      code: 'host.path-unsafe',
    });
  });

  it('finds the real directory and what is missing on the way', () => {
    const place = parsePlaces(['place /var/lib/istio\t/etc/istio\t/etc/istio/envoy/deep/x']).get('/etc/istio/envoy/deep/x');
    assert.deepEqual(place, {
      base: '/var/lib/istio',
      missing: ['/var/lib/istio/envoy', '/var/lib/istio/envoy/deep'],
      directory: '/var/lib/istio/envoy/deep',
      name: 'x',
    });
    assert.equal(parsePlaces(['place /\t/\t/a/b/x']).get('/a/b/x')?.directory, '/a/b');
  });
});

describe('the manifest', () => {
  it('is read as it was written, and refused when it is not one', () => {
    const manifest = manifestOf({ '/etc/a': {} });
    assert.deepEqual(parseManifest(manifestText(manifest)), manifest);
    for (const text of ['', '{}', '{"version":2}', manifestText(manifest).replace('"generation": 4', '"generation": "4"')])
      assert.throws(() => parseManifest(text), { code: 'host.manifest' });
  });
});
