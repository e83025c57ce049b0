// Debian packages that a test adds to a machine: fetched with everything that the machines' root lacks for them, for the machines have no way out.
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { BuildContext } from '../process.ts';
import { dropOld, exists } from './builds.ts';
import { withLock } from './lock.ts';
import { machineRoot } from './machineRoot.ts';
import { run } from './run.ts';

/** Absolute paths of the .deb files that `dpkg -i` takes on a fresh machine; downloaded where missing. Throws CommandError when apt fails. */
export async function machinePackages(context: BuildContext, names: readonly string[]): Promise<string[]> {
  const root = await machineRoot(context);
  const home = path.join(context.cacheDirectory, 'lab', 'machine-packages');
  const key = createHash('sha256')
    .update([path.basename(root), ...names].join(' '))
    .digest('hex')
    .slice(0, 12);
  const place = path.join(home, key);
  if (!(await exists(place)))
    await withLock(path.join(home, 'build.lock'), 600, async () => {
      if (await exists(place)) return;
      context.report(`fetching Debian packages for a machine: ${names.join(' ')} (once)`);
      await download(root, `${place}.building`, names);
      await rename(path.join(`${place}.building`, 'archives'), place);
      await rm(`${place}.building`, { recursive: true, force: true });
      await dropOld(home, key);
    });
  return (await readdir(place)).filter((name) => name.endsWith('.deb')).map((name) => path.join(place, name));
}

/** What apt of this machine would install into the root, by the sources and the package list of the root. */
async function download(root: string, work: string, names: readonly string[]): Promise<void> {
  await rm(work, { recursive: true, force: true });
  for (const directory of ['lists/partial', 'archives/partial']) await mkdir(path.join(work, directory), { recursive: true });
  const at = (name: string, value: string): string[] => ['-o', `${name}=${value}`];
  const options = [
    ...['-q', '-y'],
    ...at('Dir::State', work),
    ...at('Dir::State::lists', path.join(work, 'lists')),
    ...at('Dir::State::status', path.join(root, 'var/lib/dpkg/status')),
    ...at('Dir::Cache', work),
    ...at('Dir::Cache::archives', path.join(work, 'archives')),
    ...at('Dir::Etc::sourcelist', path.join(root, 'etc/apt/sources.list')),
    ...at('Dir::Etc::sourceparts', path.join(root, 'etc/apt/sources.list.d')),
    ...at('Debug::NoLocking', 'true'),
    ...at('APT::Sandbox::User', 'root'),
  ];
  await run(['apt-get', ...options, 'update'], { timeout: 300_000 });
  await run(['apt-get', ...options, '--no-install-recommends', '--download-only', 'install', ...names], { timeout: 300_000 });
}
