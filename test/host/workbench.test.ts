import assert from 'node:assert/strict';
import * as vscode from 'vscode';

describe('the workbench of the tests', () => {
  it('is at least the lowest VS Code that the manifest names', () => {
    const [major, minor] = vscode.version.split('.').map(Number);
    assert.ok(major === 1 && minor !== undefined && minor >= 106, vscode.version);
  });

  it('has the extension under test, from this source tree', () => {
    const extension = vscode.extensions.getExtension('mesh-expansion.mesh-expansion');
    assert.ok(extension, 'mesh-expansion.mesh-expansion is not there');
    assert.equal((extension.packageJSON as { main: string }).main, './dist/extension.cjs');
  });
});
