import { createHash } from 'node:crypto';
import { MeshError } from '../mesh/errors.ts';
import { message } from '../mesh/messages.ts';
import type { CallOptions, Clock, PackageFetcher, PackageFile, PackageSource } from '../mesh/ports.ts';
import { RELEASE } from './citadel/seed.ts';
import { SIDECAR_PACKAGE } from './machine/packages.ts';
import { pause } from './pause.ts';

/** Gives the embedded istio-sidecar package for any source that names one, of the release that the source names, else 1.0.3: nothing is downloaded. */
export class PlaygroundPackages implements PackageFetcher {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async fetch(source: PackageSource, options?: CallOptions): Promise<PackageFile> {
    await pause(this.#clock, 300, options);
    const place = source.kind === 'url' ? source.url : source.path;
    if (!/(\.deb|istio\.VERSION)$/.test(place)) {
      throw new MeshError({
        code: 'package.unreadable',
        kind: 'bad-input',
        userMessage: message('playground.not-a-package', { place }),
        nextStep: message('playground.not-a-package.next'),
      });
    }
    // As releases are laid out: .../releases/1.31.0/deb/istio-sidecar.deb, or a file's own name.
    const version = /(?:^|[^\d.])(\d+\.\d+\.\d+)(?![\d])/.exec(place)?.[1] ?? RELEASE;
    const bytes = Buffer.from(`playground package ${SIDECAR_PACKAGE} ${version}\n`);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { name: SIDECAR_PACKAGE, version, architecture: 'amd64', sha256, bytes, source: `playground (${place})` };
  }
}
