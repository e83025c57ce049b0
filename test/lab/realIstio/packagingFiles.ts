// Istio's own packaging files, out of the Go module that its programs are built from; nothing of them is kept in this repository.
import path from 'node:path';
import type { BuildContext } from '../process.ts';
import { goEnvironment, goTool } from '../toolchain/go.ts';
import { run } from '../toolchain/run.ts';

/** Where the module's version is fixed. */
export const ISTIO_MODULE = path.join(import.meta.dirname, '..', 'toolchain', 'istio');
/** In `common` of the packaging files: Envoy's bootstrap template. */
export const BOOTSTRAP = 'envoy_bootstrap.json';

/** Absolute path of the module's `tools/packaging`; downloaded where Go does not have it. Throws CommandError when that fails. */
export async function packagingFiles(context: BuildContext): Promise<string> {
  const go = await goTool(context, '1.26');
  const { stdout } = await run([go, 'mod', 'download', '-json', 'istio.io/istio'], {
    cwd: ISTIO_MODULE,
    env: goEnvironment(path.join(context.cacheDirectory, 'lab', 'bin', 'go-build')),
    timeout: 600_000,
  });
  const answer: unknown = JSON.parse(stdout);
  if (typeof answer !== 'object' || answer === null || !('Dir' in answer) || typeof answer.Dir !== 'string')
    throw new Error('go mod download does not say where istio.io/istio is');
  return path.join(answer.Dir, 'tools', 'packaging');
}

/** Absolute path of Istio's Envoy bootstrap template. */
export async function bootstrapFile(context: BuildContext): Promise<string> {
  return path.join(await packagingFiles(context), 'common', BOOTSTRAP);
}
