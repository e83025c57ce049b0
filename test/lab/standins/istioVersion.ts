// The file istio.VERSION of a release (citadel facts 2: shell `export NAME="value"` lines).
import { writeFile } from 'node:fs/promises';
import type { PackageRelease } from './build.ts';

/** Where the package of a release is served: what PILOT_DEBIAN_URL names. `site` is like `http://10.0.0.1:8000`. */
export function debianUrl(site: string, release: PackageRelease = '1.0.3'): string {
  return `${site}/${release}/deb`;
}

/** Writes istio.VERSION of a release whose package is served by `site`. */
export async function writeIstioVersion(file: string, site: string, release: PackageRelease = '1.0.3'): Promise<void> {
  const values: readonly (readonly [string, string])[] = [
    ['CITADEL_HUB', 'docker.io/istio'],
    ['CITADEL_TAG', release],
    ['MIXER_HUB', 'docker.io/istio'],
    ['MIXER_TAG', release],
    ['PILOT_HUB', 'docker.io/istio'],
    ['PILOT_TAG', release],
    ['PROXY_HUB', 'docker.io/istio'],
    ['PROXY_TAG', release],
    ['ISTIO_NAMESPACE', 'istio-system'],
    ['PILOT_DEBIAN_URL', debianUrl(site, release)],
  ];
  await writeFile(
    file,
    `# Stand-in for istio.VERSION of Istio ${release}\n${values.map(([name, value]) => `export ${name}="${value}"\n`).join('')}`,
  );
}
