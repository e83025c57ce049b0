import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { editFolderOf, editLocation, editOf, formatBase, parseBase } from '../mesh/edits.ts';
import type { EditStore } from '../mesh/ports.ts';

/** Saved edits on disk beside the inventory, in the files that `mesh/edits.ts` describes: the editor's are the same. `folder`: the inventory's. */
export function createEditStore(folder: string): EditStore {
  const at = (parts: readonly string[]): string => path.join(folder, ...parts);
  return {
    async read(vm, file) {
      const location = editLocation(vm, file);
      const text = await readText(at(location.text));
      return text === undefined ? undefined : { text, base: parseBase(await readText(at(location.base))) };
    },
    async list(vm) {
      const root = at(editFolderOf(vm));
      const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch((error: unknown) => absent(error, []));
      const folderName = editFolderOf(vm).at(-1) ?? '';
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => editOf([folderName, ...path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep)])?.path)
        .filter((found) => found !== undefined)
        .sort();
    },
    async write(vm, file, edit) {
      const location = editLocation(vm, file);
      await mkdir(path.dirname(at(location.text)), { recursive: true });
      // The base goes last: a text whose base is older counts as a conflict, never as in force.
      await replace(at(location.text), edit.text);
      await replace(at(location.base), formatBase(edit.base));
    },
    async delete(vm, file) {
      const location = editLocation(vm, file);
      await rm(at(location.text), { force: true });
      await rm(at(location.base), { force: true });
    },
  };
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: unknown) => absent(error, undefined));
}

async function replace(file: string, text: string): Promise<void> {
  const fresh = `${file}.${process.pid}.new`;
  await writeFile(fresh, text);
  await rename(fresh, file);
}

function absent<T>(error: unknown, instead: T): T {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return instead;
  throw error;
}
