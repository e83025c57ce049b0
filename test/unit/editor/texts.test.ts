import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createTexts } from '../../../src/editor/texts.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const texts = (file: string) =>
  JSON.parse(readFileSync(path.join(root, 'l10n/messages', file), 'utf8')) as Record<string, Record<string, string>>;
const source = ['editor', 'providers', 'views', 'commands']
  .flatMap((room) =>
    readdirSync(path.join(root, 'src', room), { recursive: true, encoding: 'utf8' }).map((name) => path.join(root, 'src', room, name)),
  )
  .filter((file) => file.endsWith('.ts'))
  .concat(path.join(root, 'src', 'extension.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');
const literal = new Set([...source.matchAll(/'((?:editor|forms)\.[\w.-]+)'/g)].map(([, id = '']) => id));
/** `editor.state.${x}`: ids that begin and end as the template does. */
const patterns = [...source.matchAll(/`((?:editor|forms)\.[^`]*\$\{[^`]*)`/g)].map(
  ([, template = '']) => new RegExp(`^${template.replaceAll('.', '\\.').replace(/\$\{[^}]*\}/g, '[\\w-]+')}$`),
);

describe('the texts of the editor', () => {
  const all = { ...texts('editor.json'), ...texts('forms.json') };

  it('are there for every id that the source names', () => {
    assert.deepEqual(
      [...literal].filter((id) => !(id in all)),
      [],
    );
    for (const pattern of patterns)
      assert.ok(
        Object.keys(all).some((id) => pattern.test(id)),
        `${pattern} has no text`,
      );
  });

  it('are all used: one that no source names is left over', () => {
    // Names of fields, sources and verbs reach `editor.tip.*` through a helper.
    const helped = (id: string) => id.startsWith('editor.tip.');
    assert.deepEqual(
      Object.keys(texts('editor.json')).filter((id) => !literal.has(id) && !helped(id) && !patterns.some((pattern) => pattern.test(id))),
      [],
    );
  });

  it('come in the language of the editor, in English where that has none, and are read once, on first use', () => {
    const read: string[] = [];
    const { t, say } = createTexts('zh-cn', (file): Record<string, string> => {
      read.push(file);
      return file === 'bundle.l10n.zh-cn.json' ? { a: '你好 {name}' } : { a: 'Hello {name}', b: 'Only English' };
    });
    assert.deepEqual(read, []);
    assert.equal(t('a', { name: 'db-1' }), '你好 db-1');
    assert.equal(say({ id: 'b', args: {} }), 'Only English');
    assert.equal(t('unknown.id'), 'unknown.id');
    assert.deepEqual(read, ['bundle.l10n.zh-cn.json', 'bundle.l10n.json']);
  });
});
