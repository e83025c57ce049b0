import { ISTIOD_PORT } from './paths.ts';

/** Names that istiod and its objects go by (istiod facts 1.4-1.7, 3.3). */

/** A revision that shows in names: neither empty nor `default` (istiod facts 1.4). */
export function isRevisioned(revision: string): boolean {
  return revision !== '' && revision !== 'default';
}

/** `istio` or `istio-REVISION`: ConfigMaps and the like. */
export function revisioned(name: string, revision: string): string {
  return isRevisioned(revision) ? `${name}-${revision}` : name;
}

/** The name that a VM calls istiod by, which is in its certificate: `istiod[-REVISION].NAMESPACE.svc`. */
export function istiodHost(namespace: string, revision: string): string {
  return `${revisioned('istiod', revision)}.${namespace}.svc`;
}

export function istiodAddress(namespace: string, revision: string): string {
  return `${istiodHost(namespace, revision)}:${ISTIOD_PORT}`;
}

/** Longest name of an object (istiod facts 3.3: cut to its last 253 characters). */
const NAME_LIMIT = 253;

/** The name that istiod gives an entry it makes itself: group, first address of the proxy, network (istiod facts 3.3). */
export function automaticEntryName(group: string, address: string, network: string | undefined): string {
  const parts = [group, address.replaceAll(':', '-'), ...(network === undefined || network === '' ? [] : [network])];
  return parts.join('-').slice(-NAME_LIMIT);
}
