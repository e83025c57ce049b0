import { message } from './messages.ts';
import { MeshError } from './errors.ts';
import { sha256 } from './hash.ts';
import type { FileContent, Finding, GeneratedFile } from './model.ts';
import { decodeName, encodeName } from './encodedNames.ts';
import { isHostPath } from './names.ts';
import type { EditStore, SavedEdit } from './ports.ts';

/**
 * Saved edits of generated files (design: Generated files are a file system). Beside the inventory, for a VM `db-1` and the file `/etc/dnsmasq.d/kubedns`:
 *
 *     .mesh-expansion/db-1/etc/dnsmasq.d/kubedns         the edited text, exactly as it goes to the VM
 *     .mesh-expansion/db-1/etc/dnsmasq.d/kubedns.base    sha256 (hex) of the generated text it was made from, and a line end
 *
 * The VM's folder is `encodeName(vm)`. One `.base` per file rather than an index: two people's edits of different files merge in git. A text without its
 * `.base` (put there by hand) counts as made from an unknown text: a conflict until it is saved again. The editor and the command line share these files.
 */
export const editFolder = '.mesh-expansion';
const baseEnding = '.base';

/** Where an edit is kept: path parts below the inventory's folder. Throws `edit.path` for a path that is no generated file's. */
export function editLocation(vm: string, path: string): { readonly text: readonly string[]; readonly base: readonly string[] } {
  if (!isHostPath(path) || path.endsWith(baseEnding))
    throw new MeshError({ code: 'edit.path', kind: 'bad-input', userMessage: message('edit.path', { path: JSON.stringify(path) }) });
  const text = [editFolder, encodeName(vm), ...path.slice(1).split('/')];
  return { text, base: [...text.slice(0, -1), `${text.at(-1) ?? ''}${baseEnding}`] };
}

/** Folder that holds a VM's edits: path parts below the inventory's folder. */
export function editFolderOf(vm: string): readonly string[] {
  return [editFolder, encodeName(vm)];
}

/** VM and path of a file below `.mesh-expansion`, given its parts below that folder; undefined for a `.base` and for what is no edit. */
export function editOf(parts: readonly string[]): { readonly vm: string; readonly path: string } | undefined {
  const [folder = '', ...rest] = parts;
  const vm = decodeName(folder);
  const path = `/${rest.join('/')}`;
  return vm === undefined || !isHostPath(path) || path.endsWith(baseEnding) ? undefined : { vm, path };
}

/** The hash in a `.base` file; empty (never equal to a hash) where it holds none. */
export function parseBase(text: string | undefined): string {
  const hash = (text ?? '').trim();
  return /^[0-9a-f]{64}$/.test(hash) ? hash : '';
}

export function formatBase(base: string): string {
  return `${base}\n`;
}

/** An edit of the given generated text, to be saved. */
export function editOfText(generated: string, text: string): SavedEdit {
  return { text, base: sha256(generated) };
}

export interface EditedFiles {
  readonly files: readonly GeneratedFile[];
  readonly edited: readonly string[];
  readonly conflicts: readonly string[];
  readonly findings: readonly Finding[];
}

/** Puts a VM's saved edits into its generated files. A conflicting file stays as generated and is named; an edit that no file takes is a finding, never dropped silently. */
export async function applyEdits(vm: string, generated: readonly GeneratedFile[], store: EditStore): Promise<EditedFiles> {
  const saved = await store.list(vm);
  const edited: string[] = [];
  const conflicts: string[] = [];
  const findings: Finding[] = [];
  const files: GeneratedFile[] = [];
  for (const file of generated) {
    const edit = saved.includes(file.path) ? await store.read(vm, file.path) : undefined;
    if (edit === undefined) files.push(file);
    else if (!file.editable || file.content.kind !== 'text') {
      findings.push({
        rule: 'edit.not-editable',
        severity: 'warning',
        text: message('edit.not-editable', { path: file.path }),
        nextStep: message('edit.discard.next'),
        at: { path: file.path },
      });
      files.push(file);
    } else if (edit.text === file.content.text) files.push(file);
    else if (edit.base === sha256(file.content.text)) {
      edited.push(file.path);
      files.push({ ...file, content: withText(file.content, edit.text) });
    } else {
      conflicts.push(file.path);
      findings.push({
        rule: 'edit.conflict',
        severity: 'error',
        text: message('edit.conflict', { path: file.path }),
        nextStep: message('edit.conflict.next'),
        at: { path: file.path },
      });
      files.push(file);
    }
  }
  const paths = generated.map((file) => file.path);
  for (const path of saved.filter((one) => !paths.includes(one))) {
    findings.push({
      rule: 'edit.orphan',
      severity: 'warning',
      text: message('edit.orphan', { path }),
      nextStep: message('edit.discard.next'),
      at: { path },
    });
  }
  return { files, edited, conflicts, findings };
}

/** Edited text; a line that the generator wrote too keeps its sources. */
function withText(content: FileContent & { readonly kind: 'text' }, text: string): FileContent {
  const sourcesOf = new Map(content.text.split('\n').map((line, index) => [line, content.sources[index] ?? []]));
  return { kind: 'text', text, sources: text.split('\n').map((line) => sourcesOf.get(line) ?? []) };
}

/** Thrown by whatever would push while saved edits conflict (kind person). */
export function editConflict(vm: string, conflicts: readonly string[]): MeshError {
  return new MeshError({
    code: 'edit.conflict',
    kind: 'person',
    userMessage: message('edit.conflicts', { vm, paths: conflicts.join(', ') }),
    nextStep: message('edit.conflict.next'),
    field: conflicts[0],
  });
}
