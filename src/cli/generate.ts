import { chmod, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { InvalidArgumentError } from 'commander';
import { editConflict } from '../mesh/edits.ts';
import { MeshError } from '../mesh/errors.ts';
import { findVm } from '../mesh/lookup.ts';
import { message } from '../mesh/messages.ts';
import type { FileContent, GeneratedFile } from '../mesh/model.ts';
import { isHostPath } from '../mesh/names.ts';
import { attempt } from './attempt.ts';
import { exitCodes } from './exitCode.ts';
import type { AddCommand } from './main.ts';
import { addCommonOptions, type CommonOptions } from './options.ts';
import type { TargetResult } from './output.ts';
import type { Session } from './session.ts';
import { onlyOne } from './usage.ts';

interface GenerateOptions extends CommonOptions {
  readonly vm: string;
  readonly out: string;
  /** False with `--no-secrets`. */
  readonly secrets: boolean;
}

/** `generate --vm NAME --out DIR [--no-secrets]`: the VM's files laid out under DIR as on the VM. Contacts no VM. */
export const generateCommand: AddCommand = (program, act) => {
  const { texts } = act;
  const command = program
    .command('generate')
    .description(texts(message('cli.help.generate')))
    .requiredOption('--vm <name>', texts(message('cli.option.generate-vm')), onlyOne(texts))
    .requiredOption('--out <dir>', texts(message('cli.option.out')), (folder) => {
      // What a script's unset variable gives would be the current folder.
      if (folder === '') throw new InvalidArgumentError(texts(message('cli.out.empty')));
      return folder;
    })
    .option('--no-secrets', texts(message('cli.option.no-secrets')));
  addCommonOptions(command, texts).action(
    act.run<GenerateOptions>('generate', false, async (session, options) => {
      const vm = findVm(session.inventory, options.vm).name;
      return [await attempt(session.output, { vm }, () => generate(session, vm, options))];
    }),
  );
};

async function generate({ mesh, output, signal }: Session, vm: string, options: GenerateOptions): Promise<TargetResult> {
  const generated = await mesh.generate(vm, { offline: true, signal });
  if (generated.conflicts.length > 0) throw editConflict(vm, generated.conflicts);
  for (const finding of generated.findings) output.note(`${finding.severity}: ${finding.at.path}: ${output.texts(finding.text)}`);
  const [wanted, left] = chosenFiles(generated.files, options);
  if (left.length > 0 && options.snapshot !== undefined) output.say(message('cli.generate.no-token', { paths: left.join(', ') }));
  const folder = path.resolve(options.out);
  if (wanted.some(({ content }) => content.kind !== 'text') && insideGit(await resolved(folder)))
    output.say(message('cli.generate.git', { folder: options.out }));
  const files: { path: string; mode: string; changed: boolean }[] = [];
  for (const file of wanted) {
    signal.throwIfAborted();
    const changed = await place(folder, file, options.dryRun === true, signal);
    files.push({ path: file.path, mode: file.mode.toString(8).padStart(4, '0'), changed });
    output.result(`${changed ? '+' : '='} ${file.mode.toString(8).padStart(4, '0')} ${path.join(options.out, file.path)}`);
  }
  const wouldChange = files.some(({ changed }) => changed);
  const findings = generated.findings.map(({ rule, severity, text, at }) => ({ rule, severity, text: output.texts(text), at }));
  return {
    vm,
    ok: true,
    changed: options.dryRun !== true && wouldChange,
    code: exitCodes.fine,
    ...(options.dryRun === true ? { wouldChange } : {}),
    release: generated.controlPlane.release,
    files,
    edited: generated.edited,
    findings,
  };
}

/** The files to write, and the paths of tokens that are left out: a snapshot cannot give one. */
function chosenFiles(
  files: readonly GeneratedFile[],
  { secrets, snapshot }: GenerateOptions,
): [readonly GeneratedFile[], readonly string[]] {
  const allowed = files.filter(({ content }) => secrets || content.kind === 'text');
  const mintable = ({ content }: GeneratedFile): boolean => content.kind !== 'minted' || snapshot === undefined;
  return [allowed.filter(mintable), allowed.filter((file) => !mintable(file)).map((file) => file.path)];
}

async function bytesOf(content: FileContent, signal: AbortSignal): Promise<Buffer> {
  if (content.kind === 'text') return Buffer.from(content.text);
  return Buffer.from((content.kind === 'secret' ? content.secret : await content.mint({ signal })).reveal());
}

/** Writes a file below the folder with its mode from the first byte on; gives whether it differed. */
async function place(folder: string, file: GeneratedFile, dryRun: boolean, signal: AbortSignal): Promise<boolean> {
  if (!isHostPath(file.path)) throw new MeshError({ code: 'cli.path', userMessage: message('cli.path', { path: file.path }) });
  const target = path.join(folder, file.path);
  // A token is another one each time, and looking must not make one.
  if (dryRun && file.content.kind === 'minted') return true;
  const content = await bytesOf(file.content, signal);
  try {
    if (await same(target, content, file.mode)) return false;
    if (dryRun) return true;
    await mkdir(path.dirname(target), { recursive: true });
    const fresh = `${target}.${process.pid}.new`;
    try {
      await writeFile(fresh, content, { mode: file.mode, flag: 'wx' });
      // The mode at creation is cut by the umask.
      await chmod(fresh, file.mode);
      await rename(fresh, target);
    } finally {
      await rm(fresh, { force: true });
    }
    return true;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new MeshError({
      code: 'cli.write',
      userMessage: message('cli.write', { file: target, reason: error.message }),
      nextStep: message('cli.write.next'),
      field: 'out',
      cause: error,
    });
  }
}

async function same(target: string, content: Buffer, mode: number): Promise<boolean> {
  try {
    return ((await stat(target)).mode & 0o7777) === mode && (await readFile(target)).equals(content);
  } catch {
    return false;
  }
}

/** The folder's true path; of a folder that is not there yet, its nearest parent's. */
async function resolved(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch {
    const parent = path.dirname(folder);
    return parent === folder ? folder : path.join(await resolved(parent), path.basename(folder));
  }
}

function insideGit(folder: string): boolean {
  for (let current = folder; ; current = path.dirname(current)) {
    if (existsSync(path.join(current, '.git'))) return true;
    if (path.dirname(current) === current) return false;
  }
}
