import type { PackageFile } from '../mesh/ports.ts';

/** The programs that handle one format of packages: argument lists, without a shell's words. Settings that were changed on the VM stay as they are. */
export interface PackageManager {
  /** Name of the file in which a package waits. */
  readonly file: string;
  install(path: string): readonly string[];
  /** sh function of scripts/packages.ts or program that removes packages with their settings. */
  purge(names: readonly string[]): readonly string[];
  /** From the VM's own repositories, without what is only recommended. */
  fromRepositories(names: readonly string[]): readonly string[];
  /** Renews the lists of the repositories; undefined where installing does that by itself. */
  readonly update: readonly string[] | undefined;
}

// Not for minutes where there is no way out: apt's own limits are long.
const APT = [
  'apt-get',
  '-q',
  '-y',
  '-o',
  'Acquire::http::Timeout=20',
  '-o',
  'Acquire::https::Timeout=20',
  '-o',
  'Acquire::Retries=1',
  '-o',
  'DPkg::Lock::Timeout=60',
  '-o',
  'Dpkg::Options::=--force-confold',
];

const deb: PackageManager = {
  file: 'it.deb',
  install: (path) => ['dpkg', '--force-confold', '--force-confdef', '-i', path],
  purge: (names) => ['dpkg', '--force-remove-reinstreq', '--purge', ...names],
  fromRepositories: (names) => [...APT, '--no-install-recommends', 'install', '--', ...names],
  update: [...APT, 'update'],
};

/** rpm keeps changed settings by itself where the package marks them `noreplace`, and writes the new ones beside them. */
const rpm: PackageManager = {
  file: 'it.rpm',
  install: (path) => ['rpm', '-U', '--oldpackage', '--', path],
  purge: (names) => ['erase', ...names],
  fromRepositories: (names) => ['from_repositories', ...names],
  update: undefined,
};

export function packageManager(format: PackageFile['format']): PackageManager {
  return format === 'rpm' ? rpm : deb;
}
