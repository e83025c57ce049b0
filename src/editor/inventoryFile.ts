import * as vscode from 'vscode';
import { asMeshError, type MeshError } from '../mesh/errors.ts';
import type { InventoryProblem } from '../mesh/inventoryProblems.ts';
import type { Inventory } from '../mesh/model.ts';
import { readText, writeText } from './files.ts';
import type { MeshRoom } from './rooms.ts';

export const inventoryName = 'mesh-expansion.yaml';

/** The inventory file as it was last read. `inventory` is the last good one, also where the file is broken now. */
export interface InventoryState {
  readonly uri: vscode.Uri;
  readonly text: string;
  readonly inventory: Inventory;
  readonly error?: MeshError;
  readonly problems: readonly InventoryProblem[];
}

export interface InventoryFile {
  dispose(): void;
  readonly onDidChange: vscode.Event<void>;
  /** Where the file is, or would be made. */
  uri(): vscode.Uri;
  /** Reads the file when it changed since; the same answer otherwise. */
  read(): Promise<InventoryState>;
  /** Replaces the text; an open document is edited and saved, so that undo works. Throws `inventory.invalid` of the edit, nothing being changed. */
  edit(change: (text: string, mesh: MeshRoom) => string): Promise<void>;
}

/** `folder` answers where the file lives now: the workspace folder that has or gets it, or a folder of the extension's own. */
export function createInventoryFile(mesh: () => Promise<MeshRoom>, folder: () => vscode.Uri): InventoryFile {
  const changed = new vscode.EventEmitter<void>();
  let held: InventoryState | undefined;
  let watcher: vscode.FileSystemWatcher | undefined;
  let watched = '';
  let good: Inventory | undefined;
  const uri = () => vscode.Uri.joinPath(folder(), inventoryName);
  const forget = () => {
    held = undefined;
    changed.fire();
  };
  const watch = () => {
    const target = folder().toString();
    if (watched === target) return;
    watched = target;
    good = undefined;
    watcher?.dispose();
    watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder(), inventoryName));
    watcher.onDidChange(forget);
    watcher.onDidCreate(forget);
    watcher.onDidDelete(forget);
  };
  const read = async (): Promise<InventoryState> => {
    watch();
    const at = uri();
    if (held?.uri.toString() === at.toString()) return held;
    const room = await mesh();
    try {
      const text = (await readText(at)) ?? '';
      try {
        good = room.parseInventory(text, inventoryName).inventory;
        held = { uri: at, text, inventory: good, problems: [] };
      } catch (thrown) {
        held = { uri: at, text, inventory: good ?? room.emptyInventory, problems: room.problemsOf(thrown), error: asMeshError(thrown) };
      }
    } catch (thrown) {
      return { uri: at, text: '', inventory: room.emptyInventory, problems: [], error: asMeshError(thrown) };
    }
    return held;
  };
  return {
    onDidChange: changed.event,
    uri,
    read,
    edit: async (change) => {
      const at = uri();
      const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === at.toString());
      const before = open?.getText() ?? (await readText(at)) ?? '';
      const after = change(before, await mesh());
      if (after !== before) {
        if (open === undefined) await writeText(at, after);
        else await replaceText(open, after);
      }
      forget();
    },
    dispose: () => {
      watcher?.dispose();
      changed.dispose();
    },
  };
}

async function replaceText(document: vscode.TextDocument, text: string): Promise<void> {
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(document.positionAt(0), document.positionAt(document.getText().length)), text);
  await vscode.workspace.applyEdit(edit);
  await document.save();
}
