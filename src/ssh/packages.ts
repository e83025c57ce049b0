import type { CallOptions, HostManifest, PackageFile, PackageState } from '../mesh/ports.ts';
import { hostError, printable } from './errors.ts';
import { emptyManifest, joinCreated } from './manifest.ts';
import { packageManager, type PackageManager } from './packageManagers.ts';
import { packageStates } from './probeAnswer.ts';
import { enter, isInterruption } from './push.ts';
import { PACKAGE_FUNCTIONS } from './scripts/packages.ts';
import { PROBE_FUNCTIONS } from './scripts/probe.ts';
import { STATE_DIRECTORY } from './scripts/state.ts';
import type { HostSession } from './session.ts';
import type { RemoteShell } from './shell.ts';
import { commitTransaction } from './transaction.ts';
import { checkAccount, checkName, checkPath, words } from './words.ts';

const LIMIT_MS = 600_000;
const TOOLS_LIMIT_MS = 900_000;

interface Owned {
  readonly owner: HostManifest['owner'];
}

/**
 * VmHost.installPackage: the manifest first learns what will be there that was not, then dpkg or rpm runs. A package that was absent and fails is purged again;
 * one that was there in another version cannot be brought back, and the error says so. Throws `host.package`.
 */
export async function installPackage(
  session: HostSession,
  file: PackageFile,
  creates: HostManifest['created'],
  options: CallOptions & Partial<Owned> = {},
): Promise<PackageState> {
  const name = checkName(file.name);
  creates.paths.forEach(checkPath);
  [...creates.users, ...creates.groups].forEach(checkAccount);
  const manager = packageManager(file.format);
  const undo: { needed: boolean } = { needed: false };
  try {
    return await session.withShellRetried({ ...options, root: true, limitMs: LIMIT_MS }, async (shell) => {
      const { manifest } = await enter(shell, []);
      if ((await managerOf(shell)) !== manager)
        throw hostError(
          'host.package',
          { host: session.alias, names: file.name, format: file.format ?? 'deb' },
          { text: 'package.format' },
        );
      const [before] = packageStates([name], await packageLines(shell, `packages ${name}`));
      if (before?.version === file.version && before.status === 'install ok installed') return await finished(shell, before);
      const fresh = await absent(shell, creates);
      const base = manifest ?? emptyManifest(options.owner ?? { vm: session.alias, cluster: '', era: '', release: '' });
      const recorded: HostManifest = {
        ...base,
        packages: withPackage(base, name, file.version, before?.version),
        created: joinCreated(base.created, fresh),
      };
      await commitTransaction(shell, {
        changes: [],
        adopted: [],
        manifest: recorded,
        hadManifest: manifest !== undefined,
        record: undefined,
      });
      undo.needed = before?.version === undefined;
      shell.send(`take_package ${file.bytes.length} ${file.sha256} ${manager.file}`, file.bytes);
      const ended = await quiet(shell, manager.install(`${STATE_DIRECTORY}/package/${manager.file}`));
      const [after] = packageStates([name], await packageLines(shell, `packages ${name}`));
      if (ended.code === 0 && after?.version === file.version) return await finished(shell, after);
      if (undo.needed) {
        await quiet(shell, manager.purge([name]));
        // A machine that had no manifest is as it was: nothing on it says that it was joined.
        if (manifest === undefined) await shell.ask('rm -f -- "$S/manifest.json"');
        else await commitTransaction(shell, { changes: [], adopted: [], manifest: base, hadManifest: true, record: undefined });
      }
      undo.needed = false;
      throw packageError(session.alias, file, ended.said, before?.version);
    });
  } catch (error) {
    // What was interrupted in the middle of dpkg is not left half installed.
    if (isInterruption(error) && undo.needed) await removePackages(session, [name]);
    throw error;
  }
}

/** VmHost.installTools: only what is missing; everything apt brings along is remembered, so that leave takes it away again. Throws `host.package`. */
export async function installTools(
  session: HostSession,
  names: readonly string[],
  options: CallOptions & Partial<Owned> = {},
): Promise<readonly PackageState[]> {
  names.forEach(checkName);
  if (names.length === 0) return [];
  return session.withShellRetried({ ...options, root: true, limitMs: TOOLS_LIMIT_MS }, async (shell) => {
    const { manifest } = await enter(shell, []);
    const before = await packageLines(shell, 'installed');
    const missing = names.filter((name) => versionOf(before, name) === undefined);
    if (missing.length > 0) {
      const manager = await managerOf(shell);
      let ended = await quiet(shell, manager.fromRepositories(missing));
      if (ended.code !== 0 && manager.update !== undefined) {
        // Package lists of a fresh machine may be absent or old.
        const update = await quiet(shell, manager.update);
        ended = await quiet(shell, manager.fromRepositories(missing));
        if (ended.code !== 0) ended = { code: ended.code, said: `${errorLines(update.said)}\n${errorLines(ended.said)}` };
      }
      const after = await packageLines(shell, 'installed');
      const base = manifest ?? emptyManifest(options.owner ?? { vm: session.alias, cluster: '', era: '', release: '' });
      const fresh = after.filter((line) => versionOf(before, nameOf(line)) === undefined);
      const packages = fresh.reduce(
        (list, line) => withPackage({ ...base, packages: list }, nameOf(line), line.split('\t')[1] ?? '', undefined),
        base.packages,
      );
      if (fresh.length > 0)
        await commitTransaction(shell, {
          changes: [],
          adopted: [],
          manifest: { ...base, packages },
          hadManifest: manifest !== undefined,
          record: undefined,
        });
      if (ended.code !== 0)
        throw hostError(
          'host.package',
          { host: session.alias, names: missing.join(', '), text: printable(ended.said) },
          { text: 'package.tools' },
        );
    }
    return finished(shell, packageStates(names, await packageLines(shell, `packages ${words(names)}`)));
  });
}

/** VmHost.removePackages: purges what the manifest says was absent before; the rest stays and is in the answer with its version. Throws `host.package`. */
export async function removePackages(
  session: HostSession,
  names: readonly string[],
  options: CallOptions = {},
): Promise<readonly PackageState[]> {
  names.forEach(checkName);
  if (names.length === 0) return [];
  return session.withShellRetried({ ...options, root: true, limitMs: LIMIT_MS }, async (shell) => {
    const { manifest } = await enter(shell, []);
    const ours = new Set((manifest?.packages ?? []).filter((entry) => entry.before === undefined).map((entry) => entry.name));
    const known = packageStates(names, await packageLines(shell, `packages ${words(names)}`));
    const present = known
      .filter((state) => ours.has(state.name) && state.status !== undefined && !state.status.endsWith('not-installed'))
      .map((state) => state.name);
    if (present.length > 0) {
      const ended = await quiet(shell, (await managerOf(shell)).purge(present));
      if (ended.code !== 0)
        throw hostError(
          'host.package',
          { host: session.alias, names: present.join(', '), text: printable(errorLines(ended.said)) },
          { text: 'package.purge' },
        );
    }
    const gone = new Set(names.filter((name) => ours.has(name)));
    if (manifest !== undefined && gone.size > 0) {
      const after = { ...manifest, packages: manifest.packages.filter((entry) => !gone.has(entry.name)) };
      await commitTransaction(shell, { changes: [], adopted: [], manifest: after, hadManifest: true, record: undefined });
    }
    return finished(shell, packageStates(names, await packageLines(shell, `packages ${words(names)}`)));
  });
}

async function managerOf(shell: RemoteShell): Promise<PackageManager> {
  const [format] = await shell.ask(`${PROBE_FUNCTIONS}\n${PACKAGE_FUNCTIONS}\npackaging`);
  return packageManager(format === 'rpm' ? 'rpm' : 'deb');
}

async function finished<T>(shell: RemoteShell, answer: T): Promise<T> {
  await shell.finish();
  return answer;
}

/** `Package TAB Version TAB Status` lines, of rpm's database the same. */
async function packageLines(shell: RemoteShell, call: string): Promise<string[]> {
  const lines = await shell.ask(`${PROBE_FUNCTIONS}\n${PACKAGE_FUNCTIONS}\n${call}`);
  return lines.filter((line) => /^(package|installed) /.test(line)).map((line) => line.slice(line.indexOf(' ') + 1));
}

async function quiet(shell: RemoteShell, argv: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  const lines = await shell.ask(`quiet ${words(argv)}`);
  const value = (word: string): string => lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1) ?? '';
  return { code: Number(value('ended')), said: Buffer.from(value('said'), 'base64').toString('utf8') };
}

async function absent(shell: RemoteShell, creates: HostManifest['created']): Promise<HostManifest['created']> {
  const ask = (what: string, list: readonly string[]): string => (list.length === 0 ? '' : `absent_${what} ${words(list)}`);
  const lines = await shell.ask([ask('paths', creates.paths), ask('users', creates.users), ask('groups', creates.groups)].join('\n'));
  const of = (kind: string): string[] =>
    lines.filter((line) => line.startsWith(`absent ${kind} `)).map((line) => line.slice(`absent ${kind} `.length));
  return { paths: of('path'), users: of('user'), groups: of('group') };
}

function withPackage(manifest: HostManifest, name: string, version: string, before: string | undefined): HostManifest['packages'] {
  const known = manifest.packages.find((entry) => entry.name === name);
  const entry = {
    name,
    version,
    ...(known === undefined ? (before === undefined ? {} : { before }) : known.before === undefined ? {} : { before: known.before }),
  };
  return [...manifest.packages.filter((other) => other.name !== name), entry];
}

function nameOf(line: string): string {
  return line.split('\t')[0] ?? '';
}

function versionOf(lines: readonly string[], name: string): string | undefined {
  return lines.find((line) => nameOf(line) === name)?.split('\t')[1];
}

function packageError(host: string, file: PackageFile, said: string, before: string | undefined): Error {
  const missing = [...said.matchAll(/^ (?:\S+ depends on .*?; however:|\s*Package \S+ .*)$|^\t\S.* is needed by \S+$/gm)].map((match) =>
    match[0].trim().replace('; however:', ''),
  );
  const args = {
    host,
    names: file.name,
    version: file.version,
    text: printable(missing.length > 0 ? missing.join('; ') : errorLines(said)),
    before: before ?? '',
  };
  if (before !== undefined) return hostError('host.package', args, { text: 'package.upgrade' });
  return hostError('host.package', args, { text: missing.length > 0 ? 'package.depends' : 'package' });
}

const NOISE =
  /^(\(Reading database|Preparing to unpack|Selecting previously|Unpacking |Setting up |Reading |Building |Processing triggers|Errors were encountered|Hit:|Ign:|Get:|Fetched |Need to get|After this|The following|\d+ upgraded| {2}\S+$|$)/;

/** What dpkg or apt said, without its progress. */
function errorLines(said: string): string {
  const lines = said.split('\n').filter((line) => !NOISE.test(line));
  return (lines.length > 0 ? lines : said.trim().split('\n')).slice(-12).join('\n');
}
