// Installs the Debian packages that a lab needs and the machine lacks.
import type { BuildContext } from '../process.ts';
import { run } from './run.ts';

/** Makes sure the packages are installed; asks dpkg first, so the usual case costs one process. Throws when apt fails. */
export async function aptInstall(context: BuildContext, packages: readonly string[]): Promise<void> {
  const known = await run(['dpkg-query', '-W', '-f', '${Package} ${db:Status-Status}\n', ...packages], { tolerant: true });
  const installed = new Set(
    known.stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  const missing = packages.filter((name) => !installed.has(name));
  if (missing.length === 0) return;
  context.report(`installing Debian packages: ${missing.join(' ')} (once)`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['apt-get', '-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '-q', '--no-install-recommends', ...missing] as const;
  const first = await run(install, { env, timeout: 900_000, tolerant: true });
  if (first.code === 0) return;
  // Package lists of a fresh machine may be absent or old.
  await run(['apt-get', '-o', 'DPkg::Lock::Timeout=300', 'update', '-q'], { env, timeout: 300_000 });
  await run(install, { env, timeout: 900_000 });
}
