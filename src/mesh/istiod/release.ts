import { NETWORKING } from './groupObject.ts';

/** Releases of this era, and what differs between them. */

/** `1.31.0` of `v1.31.0-distroless` or `istiod-1.31.0`; undefined where a text names no release. */
export function plainRelease(text: string): string | undefined {
  return /^(?:[a-z]+-)*v?(\d{1,3}\.\d{1,3}(?:\.\d{1,4})?(?:-(?:alpha|beta|rc)\.\d+)?)(?![\d.])/.exec(text)?.[1];
}

/** Major and minor of a release. */
export function minorOf(release: string): readonly [number, number] {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  return [major, minor];
}

/** From 1.8 on: workload groups, and VMs that istiod registers (istiod facts 1.8, 3.2). 1.5 - 1.7 are refused by name (eras.ts). */
export function isServed(release: string): boolean {
  const [major, minor] = minorOf(release);
  return major > 1 || (major === 1 && minor >= 8);
}

/** Whether a release, or a package's version, is older than 1.MINOR. */
export function isBefore(release: string, minor: number): boolean {
  const [major, its] = minorOf(release);
  return major < 1 || (major === 1 && its < minor);
}

/** Version of Istio's networking kinds: v1 from 1.22 on; v1alpha3 is served by all of them (istiod facts 3.5). */
export function networkingVersion(release: string): string {
  return `${NETWORKING}/${isBefore(release, 22) ? 'v1alpha3' : 'v1'}`;
}
