import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readMessages, unusedIds, usedIds } from '../../scripts/l10n.mjs';

describe('the texts of l10n/messages', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mesh-expansion-l10n-'));
  });
  afterEach(async () => rm(folder, { recursive: true }));

  it('are in both languages, each once, with the same places', async () => {
    await writeFile(
      path.join(folder, 'a.json'),
      JSON.stringify({ one: { en: 'Push {count} to {vm}', 'zh-cn': '推送 {count}' }, two: { en: 'x' } }),
    );
    await writeFile(path.join(folder, 'b.json'), JSON.stringify({ two: { en: 'x', 'zh-cn': 'y' } }));
    assert.deepEqual(readMessages(folder).problems, [
      'a.json: one has places {count} {vm} in en and {count} in zh-cn',
      'a.json: two has no zh-cn text',
      'b.json: two is also in a.json',
    ]);
  });

  it('are used by an id in quotes, a template of known words, or as what goes on from a used id', async () => {
    const source = [
      "message('plan.title', {});",
      "t(\n  'editor.open');",
      'const texts = { ready: message(`balancer.${state}`) };',
      "fail('ssh.lost'); fail('key-unknown');",
      'const error = { text: message(`ssh.${rule}`), next: message(`${id}.next`) };',
      'const address = `${host}.${domain}`;',
    ].join('\n');
    await writeFile(path.join(folder, 'source.ts'), source);
    assert.deepEqual([...usedIds(folder).keys()], ['plan.title', 'editor.open']);
    const ids = ['plan.title', 'editor.open', 'balancer.ready', 'ssh.lost', 'ssh.key-unknown', 'plan.title.next', 'ssh.lost.next'];
    assert.deepEqual(unusedIds(ids, folder), []);
    const dead = ['plan.titel', 'balancer.gone', 'ssh.key-found', 'other.lost', 'nothing.next'];
    assert.deepEqual(unusedIds([...ids, ...dead], folder), dead);
  });
});
