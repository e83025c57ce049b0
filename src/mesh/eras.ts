import { citadel } from './citadel/era.ts';
import type { Era } from './era.ts';
import { isMeshError, MeshError } from './errors.ts';
import { istiod } from './istiod/era.ts';
import { message } from './messages.ts';
import type { ClusterEntry, ControlPlane } from './model.ts';
import type { CallOptions, ClusterApi } from './ports.ts';

/** The eras that are served: one line each. */
export const eras: readonly Era[] = [citadel, istiod];

type Minor = readonly [major: number, minor: number];

/** Releases that no era serves, and why. */
const refused: readonly { readonly from: Minor; readonly to: Minor; readonly error: (cluster: string, release: string) => MeshError }[] = [
  {
    from: [1, 5],
    to: [1, 7],
    error: (cluster, release) =>
      new MeshError({
        code: 'era.between',
        kind: 'bad-input',
        userMessage: message('era.between', { cluster, release }),
        nextStep: message('era.between.next'),
        field: 'istio.release',
      }),
  },
];

export interface FoundEra {
  readonly era: Era;
  readonly controlPlane: ControlPlane;
}

/**
 * The era of a cluster: of the release that the inventory pins, else of what runs there. Throws `era.between` for 1.5 - 1.7,
 * `era.unknown-release` for a pinned release that nobody knows (all bad-input), `era.not-found` where no control plane is seen.
 */
export async function eraOf(
  entry: ClusterEntry,
  api: () => Promise<ClusterApi>,
  known: readonly Era[] = eras,
  options?: CallOptions,
): Promise<FoundEra> {
  if (entry.istio.release === undefined) return detected(entry, await api(), known, options);
  const { era, controlPlane } = pinned(entry, entry.istio.release, known);
  if (era.details === undefined) return { era, controlPlane };
  try {
    return { era, controlPlane: { ...controlPlane, ...(await era.details({ entry, api: await api(), controlPlane }, options)) } };
  } catch (error) {
    options?.signal?.throwIfAborted();
    // A pinned release is there to need no cluster: what does need one meets this error itself.
    if (!isMeshError(error)) throw error;
    return { era, controlPlane };
  }
}

/** The era of a release, without any cluster. */
export function pinned(entry: ClusterEntry, release: string, known: readonly Era[] = eras): FoundEra {
  const refusal = refusalOf(entry.name, release);
  if (refusal !== undefined) throw refusal;
  for (const era of known) {
    const controlPlane = era.pinned(release);
    if (controlPlane !== undefined) return { era, controlPlane };
  }
  throw new MeshError({
    code: 'era.unknown-release',
    kind: 'bad-input',
    userMessage: message('era.unknown-release', { cluster: entry.name, release }),
    nextStep: message('era.unknown-release.next'),
    field: 'istio.release',
  });
}

async function detected(entry: ClusterEntry, api: ClusterApi, known: readonly Era[], options?: CallOptions): Promise<FoundEra> {
  let refusal: MeshError | undefined;
  for (const era of known) {
    const controlPlane = await era.detect(entry, api, options);
    if (controlPlane === undefined) continue;
    // What one era finds may be another's: a Pilot of a release after it.
    if (era.pinned(controlPlane.release) !== undefined) return { era, controlPlane };
    refusal ??= refusalOf(entry.name, controlPlane.release);
  }
  throw refusal ?? notFound(entry);
}

function refusalOf(cluster: string, release: string): MeshError | undefined {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const order = (a: Minor, b: Minor): number => a[0] - b[0] || a[1] - b[1];
  return refused.find(({ from, to }) => order([major, minor], from) >= 0 && order([major, minor], to) <= 0)?.error(cluster, release);
}

function notFound(entry: ClusterEntry): MeshError {
  return new MeshError({
    code: 'era.not-found',
    userMessage: message('era.not-found', { cluster: entry.name, namespace: entry.istio.namespace }),
    nextStep: message('era.not-found.next'),
  });
}
