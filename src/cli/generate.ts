import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
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
    .requiredOption('--vm <name>', texts(message('cli.option.generate-vm')))
    .requiredOption('--out <dir>', texts(message('cli.option.out')))
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
  const wanted = generated.files.filter(({ content }) => options.secrets || content.kind === 'text');
  const folder = path.resolve(options.out);
  if (wanted.some(({ content }) => content.kind !== 'text') && insideGit(folder))
    output.say(message('cli.generate.git', { folder: options.out }));
  const files: { path: string; mode: string; changed: boolean }[] = [];
  for (const file of wanted) {
    signal.throwIfAborted();
    const changed = await place(folder, file, options.dryRun === true);
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

async function bytesOf(content: FileContent): Promise<Buffer> {
  if (content.kind === 'text') return Buffer.from(content.text);
  return Buffer.from((content.kind === 'secret' ? content.secret : await content.mint()).reveal());
}

/** Writes a file below the folder with its mode from the first byte on; gives whether it differed. */
async function place(folder: string, file: GeneratedFile, dryRun: boolean): Promise<boolean> {
  if (!isHostPath(file.path)) throw new MeshError({ code: 'cli.path', userMessage: message('cli.path', { path: file.path }) });
  const target = path.join(folder, file.path);
  const content = await bytesOf(file.content);
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

function insideGit(folder: string): boolean {
  for (let current = folder; ; current = path.dirname(current)) {
    if (existsSync(path.join(current, '.git'))) return true;
    if (path.dirname(current) === current) return false;
  }
}
