import assert from 'node:assert/strict';
import childProcess from 'node:child_process';
import { statSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import * as vscode from 'vscode';
import { fileUri } from '../../src/editor/uris.ts';

/** Runs first of all files: the extension must not be active before. */
describe('activation', () => {
  const extension = vscode.extensions.getExtension('mesh-expansion.mesh-expansion');
  const seen: string[] = [];
  const restore: (() => void)[] = [];

  before(() => {
    // Every way to start a program goes through this one method, execFile and fork too.
    const start: unknown = Reflect.get(childProcess.ChildProcess.prototype, 'spawn');
    const connect: unknown = Reflect.get(net.Socket.prototype, 'connect');
    // Other extensions have a dist folder too, and git's starts git.
    const own = path.join(extension?.extensionPath ?? 'absent', 'dist') + path.sep;
    const ofExtension = () => new Error().stack?.includes(own) === true;
    const started = function (this: childProcess.ChildProcess, ...call: unknown[]): unknown {
      if (ofExtension()) seen.push(`spawn ${JSON.stringify(call[0])}`);
      return (start as (...all: unknown[]) => unknown).apply(this, call);
    };
    Reflect.set(childProcess.ChildProcess.prototype, 'spawn', started);
    const watched = function (this: net.Socket, ...call: unknown[]): unknown {
      // The extension host's own channel to the window is no part of this.
      if (ofExtension()) seen.push(`connect ${JSON.stringify(call[0])}`);
      return (connect as (...all: unknown[]) => unknown).apply(this, call);
    };
    Reflect.set(net.Socket.prototype, 'connect', watched);
    restore.push(
      () => Reflect.set(childProcess.ChildProcess.prototype, 'spawn', start),
      () => Reflect.set(net.Socket.prototype, 'connect', connect),
    );
  });
  after(() => restore.forEach((undo) => undo()));

  const loaded = () =>
    Object.keys(require.cache)
      .filter((file) => /[\\/]dist[\\/][^\\/]+\.cjs$/.test(file))
      .map((file) => path.basename(file));

  it('is not asked for by starting VS Code', () => {
    assert.ok(extension);
    assert.equal(extension.isActive, false);
    assert.deepEqual(loaded(), []);
  });

  it('by a document restored from the last session reads no cluster: it shows what is remembered, or says what to do', async () => {
    const uri = fileUri({ cluster: 'arn:aws:eks:eu-west-1:1:cluster/prod', vm: 'db-1', path: '/etc/dnsmasq.d/kubedns' });
    assert.equal(uri.toString(), 'mesh-expansion:/arn%253Aaws%253Aeks%253Aeu-west-1%253A1%253Acluster%252Fprod/db-1/etc/dnsmasq.d/kubedns');
    const document = await vscode.workspace.openTextDocument(uri);
    assert.equal(extension?.isActive, true);
    assert.match(document.getText(), /^# \/etc\/dnsmasq\.d\/kubedns was not read in this window/);
    await vscode.window.showTextDocument(document);
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', uri);
    assert.deepEqual(
      lenses.map((lens) => lens.command?.command),
      ['meshExpansion.openFile'],
    );
  });

  it('loads only the extension itself: no kube, ssh, mesh or playground bundle, no process, no connection', () => {
    assert.deepEqual(loaded(), ['extension.cjs']);
    assert.deepEqual(seen, []);
  });

  it('of what VS Code must parse, there are at most 150 KB', () => {
    assert.ok(statSync(path.join(extension?.extensionPath ?? '', 'dist/extension.cjs')).size <= 150 * 1024);
  });

  it('answers a small API that contacts nothing', () => {
    const api = extension?.exports as { version: number; inventoryUri(): vscode.Uri; vmCondition(vm: string): unknown };
    assert.equal(api.version, 1);
    assert.equal(path.posix.basename(api.inventoryUri().path), 'mesh-expansion.yaml');
    assert.equal(api.vmCondition('db-1'), undefined);
    assert.deepEqual(loaded(), ['extension.cjs']);
  });
});
