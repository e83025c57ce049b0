import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { commandIds, fullId } from '../../src/editor/commandIds.ts';
import { contextKeyNames } from '../../src/editor/contextKeys.ts';

interface MenuItem {
  readonly command?: string;
  readonly when?: string;
  readonly group?: string;
}
interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string; readonly category?: string; readonly icon?: string }[];
    readonly menus: Readonly<Record<string, readonly MenuItem[]>>;
    readonly configuration: {
      readonly properties: Readonly<Record<string, { readonly scope?: string; readonly markdownDescription?: string }>>;
    };
    readonly viewsWelcome: readonly { readonly when?: string }[];
  };
}

const extension = vscode.extensions.getExtension('mesh-expansion.mesh-expansion');
const root = extension?.extensionPath ?? '';
const json = (file: string): unknown => JSON.parse(readFileSync(path.join(root, file), 'utf8'));
const manifest = json('package.json') as Manifest;
const { contributes } = manifest;
const ids = commandIds.map(fullId);

describe('the manifest', () => {
  it('contributes exactly the commands of the list', () => {
    assert.deepEqual(contributes.commands.map(({ command }) => command).sort(), [...ids].sort());
  });

  it('has a handler registered for every command', async () => {
    await extension?.activate();
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      ids.filter((id) => !registered.has(id)),
      [],
    );
  });

  it('gives every command the category, an icon and a title in both languages', () => {
    for (const { command, title, category, icon } of contributes.commands) {
      assert.match(icon ?? '', /^\$\([a-z-]+\)$/, command);
      for (const file of ['package.nls.json', 'package.nls.zh-cn.json'])
        assert.ok((json(file) as Record<string, string>)[title.replaceAll('%', '')], `${file}: ${command}`);
      assert.equal(category, '%category%', command);
      assert.equal(title, `%command.${command.replace('meshExpansion.', '')}%`);
    }
  });

  it('names only its own commands in menus, and gives every inline action an icon', () => {
    for (const [menu, items] of Object.entries(contributes.menus)) {
      for (const { command = '', group = '' } of items) {
        assert.ok(ids.includes(command), `${menu}: ${command}`);
        if (group.startsWith('inline') || group.startsWith('navigation'))
          assert.ok(contributes.commands.find((one) => one.command === command)?.icon, `${menu}: ${command} has no icon`);
      }
    }
  });

  it('says when each command that changes a VM or needs a node is offered in the palette', () => {
    const palette = new Map((contributes.menus.commandPalette ?? []).map(({ command = '', when }) => [command, when]));
    for (const id of ['renewCredentials', 'upgradeSidecar', 'push', 'leaveMesh'] as const)
      assert.equal(palette.get(fullId(id)), '!meshExpansion.noVms', id);
    for (const id of ['newWorkloadGroup', 'editWorkloadGroup'] as const)
      assert.equal(palette.get(fullId(id)), 'meshExpansion.groups != none', id);
  });

  it('offers every inline action in the context menu too, where the keyboard reaches it', () => {
    const items = contributes.menus['view/item/context'] ?? [];
    const inMenu = new Set(items.filter(({ group }) => !group?.startsWith('inline')).map(({ command }) => command));
    const keyboardWay = new Set(['meshExpansion.retry', 'meshExpansion.showLog', 'meshExpansion.signIn']);
    const missing = items.filter(
      ({ group, command = '' }) => group?.startsWith('inline') && !inMenu.has(command) && !keyboardWay.has(command),
    );
    assert.deepEqual(
      missing.map(({ command }) => command),
      [],
    );
  });

  it('uses only context keys that the extension sets', () => {
    const known = new Set<string>([...contextKeyNames, 'meshExpansion.tree']);
    const clauses = [...Object.values(contributes.menus).flat(), ...contributes.viewsWelcome].map(({ when = '' }) => when);
    const used = new Set(clauses.flatMap((when) => [...when.matchAll(/meshExpansion\.\w+/g)].map(([key]) => key)));
    assert.deepEqual(
      [...used].filter((key) => !known.has(key)),
      [],
    );
  });

  it('has every nls key it uses in both languages, and no other', () => {
    const used = [
      ...new Set([...readFileSync(path.join(root, 'package.json'), 'utf8').matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key)),
    ].sort();
    for (const file of ['package.nls.json', 'package.nls.zh-cn.json'])
      assert.deepEqual(Object.keys(json(file) as object).sort(), used, file);
  });

  it('says for each setting where it may be set, and describes it', () => {
    for (const [name, { scope, markdownDescription }] of Object.entries(contributes.configuration.properties)) {
      assert.ok(scope, name);
      assert.match(markdownDescription ?? '', /^%setting\./, name);
    }
  });

  it('has English and Chinese text for every command in messages', () => {
    for (const file of ['l10n/bundle.l10n.json', 'l10n/bundle.l10n.zh-cn.json']) {
      const texts = json(file) as Record<string, string>;
      for (const id of commandIds) assert.ok(texts[`editor.command.${id}`], `${file}: ${id}`);
    }
  });
});
