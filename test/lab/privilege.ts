// Namespaces, mounts and cgroups are root's, and what a lab is made of are Debian's packages.
import { existsSync } from 'node:fs';
import process from 'node:process';

/** Throws where no lab can be: on another system than Debian or Ubuntu, or when this process is not root's. */
export function requireRoot(): void {
  if (process.platform !== 'linux' || !existsSync('/etc/debian_version'))
    throw new Error('the lab runs on Debian or Ubuntu: it is made of their packages');
  if (process.getuid?.() !== 0) throw new Error('the lab makes network namespaces and machines: run it as root');
}
