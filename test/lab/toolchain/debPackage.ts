// Makes a Debian package from single files: the same files always give the same bytes, whoever builds and whenever.
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from './run.ts';

export interface PackagedFile {
  /** Path in the package, without a leading slash; below `DEBIAN/` for the control files. */
  to: string;
  /** A file of this machine, or the text itself. */
  from: { file: string } | { text: string };
  mode: number;
}

export interface DebOptions {
  /** Seconds since 1970 that every file carries. */
  time: number;
}

/** Writes the package to `target`. Throws CommandError when dpkg-deb fails. */
export async function buildDebPackage(target: string, files: readonly PackagedFile[], { time }: DebOptions): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const stage = await mkdtemp(`${target}.stage-`);
  try {
    const root = path.join(stage, 'root');
    for (const { to, from, mode } of files) {
      await makeDirectories(root, path.dirname(to));
      const place = path.join(root, to);
      if ('file' in from) await copyFile(from.file, place);
      else await writeFile(place, from.text);
      await chmod(place, mode);
    }
    const deb = path.join(stage, 'package.deb');
    // Control files as Istio's packages have them, since the extension reads those; the rest so that machines unpack it quickly.
    await run(['dpkg-deb', '--root-owner-group', '-Zzstd', '-z1', '--no-uniform-compression', '--build', root, deb], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(time) },
      timeout: 300_000,
    });
    await rename(deb, target);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

// The umask of whoever builds must not get into the package.
async function makeDirectories(root: string, directory: string): Promise<void> {
  let made = root;
  for (const part of ['', ...directory.split('/')]) {
    made = path.join(made, part);
    await mkdir(made, { recursive: true });
    await chmod(made, 0o755);
  }
}
