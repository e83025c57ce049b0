// Namespaces, mounts and cgroups are root's.
import process from 'node:process';

/** Throws when this process is not root's. */
export function requireRoot(): void {
  if (process.getuid?.() !== 0) throw new Error('the lab makes network namespaces and machines: run it as root');
}
