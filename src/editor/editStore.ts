import * as vscode from 'vscode';
import type { EditStore } from '../mesh/ports.ts';
import { deleteFile, readFolder, readText, writeText } from './files.ts';
import type { MeshRoom } from './rooms.ts';

/** Saved edits beside the inventory: the same files that the command line reads and writes. `folder` is asked anew by every call. */
export function createEditStore(mesh: () => Promise<MeshRoom>, folder: () => vscode.Uri): EditStore {
  const below = (parts: readonly string[]) => vscode.Uri.joinPath(folder(), ...parts);
  return {
    read: async (vm, path) => {
      const { editLocation, parseBase } = await mesh();
      const location = editLocation(vm, path);
      const text = await readText(below(location.text));
      return text === undefined ? undefined : { text, base: parseBase(await readText(below(location.base))) };
    },
    list: async (vm) => {
      const { editFolderOf, editOf } = await mesh();
      const [root = '', name = ''] = editFolderOf(vm);
      const found = await filesBelow(below([root, name]), [name]);
      return found.map((parts) => editOf(parts)?.path).filter((path) => path !== undefined);
    },
    write: async (vm, path, edit) => {
      const { editLocation, formatBase } = await mesh();
      const location = editLocation(vm, path);
      // The text first: without its base it counts as a conflict and is not pushed.
      await writeText(below(location.text), edit.text);
      await writeText(below(location.base), formatBase(edit.base));
    },
    delete: async (vm, path) => {
      const { editLocation } = await mesh();
      const location = editLocation(vm, path);
      await deleteFile(below(location.text));
      await deleteFile(below(location.base));
    },
  };
}

async function filesBelow(folder: vscode.Uri, parts: readonly string[]): Promise<readonly (readonly string[])[]> {
  const found: (readonly string[])[] = [];
  for (const [name, kind] of await readFolder(folder)) {
    if (kind === vscode.FileType.Directory) found.push(...(await filesBelow(vscode.Uri.joinPath(folder, name), [...parts, name])));
    else if (kind === vscode.FileType.File) found.push([...parts, name]);
  }
  return found;
}
