import assert from 'node:assert/strict';
import { filesStep } from '../../../../src/mesh/host/files.ts';
import { unitsStep } from '../../../../src/mesh/host/units.ts';
import { sha256 } from '../../../../src/mesh/hash.ts';
import type { GeneratedFile } from '../../../../src/mesh/model.ts';
import type { HostManifest, HostState } from '../../../../src/mesh/ports.ts';
import { Secret } from '../../../../src/mesh/secret.ts';
import { hostState, NotingHost, plainSidecar, sent, textFile, work } from './support.ts';

const remote = (path: string, text: string) =>
  ({ path, exists: true, kind: 'file', mode: 0o644, owner: 'root', group: 'root', sha256: sha256(text) }) as const;
const manifest = (files: HostManifest['files'] = []): HostManifest => ({
  version: 1,
  owner: { vm: 'db-1', cluster: 'prod', era: 'istiod', release: '1.31.0' },
  generation: 1,
  files,
  packages: [],
  units: [],
  created: { paths: [], users: [], groups: [] },
});
const running = (since: string): HostState['units'] => [
  { name: 'side', load: 'loaded', active: 'active', sub: 'running', enabled: 'enabled', restarts: 0, since },
];

describe('the step that pushes files', () => {
  let minted = 0;
  const token = (wanted: boolean): GeneratedFile => ({
    ...textFile('/run/token', ''),
    content: {
      kind: 'minted',
      wanted,
      mint: async () => {
        minted += 1;
        return new Secret('a token');
      },
    },
    readBy: [],
  });
  beforeEach(() => (minted = 0));

  it('mints a secret only when it is sent, and sends none that nobody needs', async () => {
    const host = new NotingHost(hostState({ manifest: manifest(), files: [remote('/etc/a', 'old')] }));
    const wanted = filesStep(work(host), [textFile('/etc/a', 'new'), token(true)]);
    assert.equal((await wanted.preview()).needed, true);
    assert.equal(minted, 0);
    await wanted.run();
    assert.deepEqual([minted, host.pushes[0]?.files.map(sent)], [1, ['new', 'a token']]);
    await filesStep(work(host), [textFile('/etc/a', 'new'), token(false)]).run();
    assert.deepEqual([minted, host.pushes[1]?.files.map(sent)], [1, ['new']]);
  });

  it('does not take a token that is gone and not needed for a change, nor out of the manifest', async () => {
    const known = manifest([
      { path: '/run/token', sha256: 'x', mode: 0o600, owner: 'root', group: 'root', time: '2026-01-01T00:00:00Z', original: 'absent' },
    ]);
    const host = new NotingHost(hostState({ manifest: known, files: [remote('/etc/a', 'new'), { path: '/run/token', exists: false }] }));
    assert.equal((await filesStep(work(host), [textFile('/etc/a', 'new'), token(false)]).preview()).needed, false);
    assert.equal((await filesStep(work(host), [textFile('/etc/a', 'new')]).preview()).needed, true);
  });

  it('sends what must still be there for a file that was made from it, and the directories of the sidecar', async () => {
    const directories = [{ path: '/run/secrets', mode: 0o755, owner: 'root', group: 'root' }];
    const host = new NotingHost(hostState({ manifest: manifest(), files: [remote('/etc/hosts', 'theirs')] }));
    const merged = textFile('/etc/hosts', 'theirs and ours', {
      content: { kind: 'text', text: 'theirs and ours', sources: [[{ value: '', from: { kind: 'host', field: '/etc/hosts' } }]] },
    });
    await filesStep(work(host, { sidecar: { ...plainSidecar, directories } }), [merged]).run();
    assert.equal(host.pushes[0]?.files[0]?.expect, sha256('theirs'));
    assert.deepEqual(host.pushes[0].directories, directories);
  });
});

describe('the step that starts the units', () => {
  const file = textFile('/etc/a', 'new');
  const pushedAt = (time: string): HostManifest =>
    manifest([{ path: '/etc/a', sha256: sha256('new'), mode: 0o644, owner: 'root', group: 'root', time, original: 'absent' }]);
  const needed = async (state: HostState, files: readonly GeneratedFile[] = [file]): Promise<boolean> =>
    (await unitsStep(work(new NotingHost(state)), files, { start: true }).preview()).needed;

  it('leaves a unit alone that read what is there', async () => {
    const state = { manifest: pushedAt('2026-01-01T00:00:00Z'), files: [remote('/etc/a', 'new')], units: running('2026-01-01T00:00:05Z') };
    assert.equal(await needed(hostState(state)), false);
  });

  it('restarts one that was started before its file was pushed, as after a run that broke off; not for a file it does not read', async () => {
    const state = { manifest: pushedAt('2026-01-01T00:00:05Z'), files: [remote('/etc/a', 'new')], units: running('2026-01-01T00:00:00Z') };
    assert.equal(await needed(hostState(state)), true);
    assert.equal(await needed(hostState(state), [{ ...file, readBy: [] }]), false);
  });
});
