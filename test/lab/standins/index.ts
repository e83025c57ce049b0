// The stand-ins of a lab: what has no real part here, and how to build and run it.
export { buildDeb } from './deb.ts';
export { buildStandins, debFile, PACKAGE_RELEASES } from './build.ts';
export type { PackageRelease, StandinBinaries } from './build.ts';
export { debianUrl, writeIstioVersion } from './istioVersion.ts';
export { RELEASES_PORT, releasesProcess, standinProcesses } from './processes.ts';
export type { StandinEnvironment } from './processes.ts';
