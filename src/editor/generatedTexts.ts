import * as vscode from 'vscode';
import type { Generated } from '../mesh/mesh.ts';
import type { Finding, GeneratedFile, ValueSource } from '../mesh/model.ts';
import { encodeName } from '../mesh/encodedNames.ts';
import { deleteFile, readText, writeText } from './files.ts';
import type { Session } from './session.ts';
import { fileUri, manifestUri, type FileAddress } from './uris.ts';

/** A generated file as a document shows it. For a secret, `text` is empty and the facts are in `file`, which only this window holds. */
export interface HeldText {
  readonly text: string;
  /** For each line, where its values came from. */
  readonly sources: readonly (readonly ValueSource[])[];
  readonly secret: boolean;
  readonly editable: boolean;
  readonly edited: boolean;
  readonly conflict: boolean;
  /** The generated text before a saved edit: what a new edit is made from. */
  readonly pristine: string;
  /** Milliseconds since 1970. */
  readonly changedAt: number;
  readonly readAt: string;
  readonly file?: GeneratedFile;
}

/** Texts of generated files: made when asked, remembered for the next start (never a secret's), edited through the edit store. */
export interface GeneratedTexts {
  dispose(): void;
  readonly onDidChange: vscode.Event<readonly vscode.Uri[]>;
  /** Generates a VM's files anew: contacts the cluster. */
  refresh(vm: string): Promise<Generated>;
  /** Takes files that were generated for something else, e.g. a status. */
  take(generated: Generated): Promise<void>;
  /** The last text; contacts nothing. */
  get(address: FileAddress): Promise<HeldText | undefined>;
  /** The last text where it is in memory. */
  peek(address: FileAddress): HeldText | undefined;
  findings(vm: string): readonly Finding[];
  /** Saves an edit; a text equal to the generated one takes the edit away. */
  save(address: FileAddress, text: string): Promise<void>;
  discard(address: FileAddress): Promise<void>;
  /** Declares a conflicting edit to be made from the text as it is generated now. */
  keep(address: FileAddress): Promise<void>;
  /** Text of a cluster's load balancers as their document shows it; undefined where there is no document. */
  manifest(cluster: string): Promise<string | undefined>;
  /** The same where the person changed it: what Set Up Cluster applies instead of the generated text. */
  editedManifest(cluster: string): Promise<string | undefined>;
  /** Makes the document of the generated text; an edit stays. */
  offerManifest(cluster: string, generated: string): Promise<void>;
  /** Saves an edit; undefined: back to the generated text. */
  setManifest(cluster: string, text: string | undefined): Promise<void>;
}

type Remembered = Omit<HeldText, 'file' | 'secret'>;

export function createGeneratedTexts(context: vscode.ExtensionContext, session: Session): GeneratedTexts {
  const changed = new vscode.EventEmitter<readonly vscode.Uri[]>();
  const held = new Map<string, HeldText>();
  const findings = new Map<string, readonly Finding[]>();
  const root = () =>
    vscode.Uri.joinPath(context.storageUri ?? context.globalStorageUri, session.source() === 'playground' ? 'playground-texts' : 'texts');
  const key = (address: FileAddress) => fileUri(address).toString();
  const stored = ({ cluster, vm, path }: FileAddress) =>
    vscode.Uri.joinPath(root(), encodeName(cluster), encodeName(vm), `${encodeName(path)}.json`);
  const storedManifest = (cluster: string, kind: 'generated' | 'edited') =>
    vscode.Uri.joinPath(root(), encodeName(cluster), `load-balancers.${kind}.yaml`);

  const remember = async (address: FileAddress, value: HeldText): Promise<void> => {
    if (value.secret) return;
    const { text, sources, editable, edited, conflict, pristine, changedAt, readAt } = value;
    const remembered: Remembered = { text, sources, editable, edited, conflict, pristine, changedAt, readAt };
    await writeText(stored(address), JSON.stringify(remembered));
  };
  const recall = async (address: FileAddress): Promise<HeldText | undefined> => {
    const text = await readText(stored(address));
    return text === undefined ? undefined : { ...(JSON.parse(text) as Remembered), secret: false };
  };
  const put = async (address: FileAddress, value: HeldText): Promise<boolean> => {
    const before = held.get(key(address));
    const same = before?.text === value.text && before.edited === value.edited && before.conflict === value.conflict;
    held.set(key(address), same ? { ...value, changedAt: before.changedAt } : value);
    await remember(address, value);
    return !same;
  };

  const take = async (generated: Generated): Promise<void> => {
    const { vm } = generated;
    const mesh = await session.mesh();
    const cluster = mesh.inventory().vms.find(({ name }) => name === vm)?.cluster ?? '';
    findings.set(vm, generated.findings);
    const uris: vscode.Uri[] = [];
    for (const file of generated.files) {
      const address = { cluster, vm, path: file.path };
      if (await put(address, await heldOf(file, generated, vm))) uris.push(fileUri(address));
    }
    changed.fire(uris);
  };

  const refresh = async (vm: string): Promise<Generated> => {
    const generated = await (await session.mesh()).generate(vm);
    await take(generated);
    return generated;
  };

  const heldOf = async (file: GeneratedFile, generated: Generated, vm: string): Promise<HeldText> => {
    const conflict = generated.conflicts.includes(file.path);
    const pristine = generated.pristine.get(file.path)?.content ?? file.content;
    // In a conflict the document shows the person's text; the generated one is a command away.
    const edit = conflict ? await session.edits.read(vm, file.path) : undefined;
    const content = file.content;
    return {
      text: content.kind === 'text' ? (edit?.text ?? content.text) : '',
      sources: content.kind === 'text' ? content.sources : [],
      secret: content.kind !== 'text',
      editable: file.editable && content.kind === 'text',
      edited: generated.edited.includes(file.path),
      conflict,
      pristine: pristine.kind === 'text' ? pristine.text : '',
      changedAt: Date.now(),
      readAt: generated.readAt,
      file,
    };
  };

  const get = async (address: FileAddress): Promise<HeldText | undefined> => {
    const known = held.get(key(address)) ?? (await recall(address));
    if (known !== undefined) held.set(key(address), known);
    return known;
  };
  const change = async (address: FileAddress, value: HeldText): Promise<void> => {
    await put(address, value);
    changed.fire([fileUri(address)]);
  };

  return {
    onDidChange: changed.event,
    refresh,
    take,
    get,
    peek: (address) => held.get(key(address)),
    findings: (vm) => findings.get(vm) ?? [],
    save: async (address, text) => {
      const known = await get(address);
      if (known?.editable !== true) throw vscode.FileSystemError.NoPermissions(fileUri(address));
      const { editOfText } = await session.rooms.mesh();
      if (text === known.pristine) await session.edits.delete(address.vm, address.path);
      else await session.edits.write(address.vm, address.path, editOfText(known.pristine, text));
      await change(address, { ...known, text, edited: text !== known.pristine, conflict: false, changedAt: Date.now() });
    },
    discard: async (address) => {
      const known = await get(address);
      await session.edits.delete(address.vm, address.path);
      if (known !== undefined)
        await change(address, { ...known, text: known.pristine, edited: false, conflict: false, changedAt: Date.now() });
    },
    keep: async (address) => {
      const known = await get(address);
      if (known === undefined) return;
      const { editOfText } = await session.rooms.mesh();
      await session.edits.write(address.vm, address.path, editOfText(known.pristine, known.text));
      await change(address, { ...known, edited: true, conflict: false, changedAt: Date.now() });
    },
    manifest: async (cluster) => (await readText(storedManifest(cluster, 'edited'))) ?? readText(storedManifest(cluster, 'generated')),
    editedManifest: (cluster) => readText(storedManifest(cluster, 'edited')),
    offerManifest: async (cluster, generated) => {
      await writeText(storedManifest(cluster, 'generated'), generated);
      changed.fire([manifestUri(cluster)]);
    },
    setManifest: async (cluster, text) => {
      const generated = await readText(storedManifest(cluster, 'generated'));
      if (text === undefined || text === generated) await deleteFile(storedManifest(cluster, 'edited'));
      else await writeText(storedManifest(cluster, 'edited'), text);
      changed.fire([manifestUri(cluster)]);
    },
    dispose: () => changed.dispose(),
  };
}
