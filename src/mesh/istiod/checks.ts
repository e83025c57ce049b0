import { isMeshError } from '../errors.ts';
import type { Era, VmScope } from '../era.ts';
import { unitCheck } from '../host/checkUnit.ts';
import { isAddress } from '../names.ts';
import type { CallOptions } from '../ports.ts';
import { refName } from '../problem.ts';
import { captureCheck, sshCheck } from './checkCapture.ts';
import { certificateCheck, clockCheck, tokenCheck } from './checkCredentials.ts';
import { nameCheck, tcpCheck, tlsCheck, type IstiodPlace } from './checkIstiod.ts';
import { entryCheck, meshPage, serviceCheck } from './checkMesh.ts';
import { namesCheck } from './checkNames.ts';
import { agentLogCheck, listenersCheck, readyCheck, skewCheck } from './checkSidecar.ts';
import { commandsFor } from './customHost.ts';
import { gatewayRef, placeAsName, readGateway } from './gatewayAddress.ts';
import { groups } from './groups.ts';
import { istiodHost } from './naming.ts';
import { UNIT } from './paths.ts';
import { readRevision } from './revisions.ts';

/** From the ground up (istiod facts 2.6, 5): the way to istiod, the credentials, the sidecar, capture, the cluster's view, a service of the mesh. */
export const checks: Era['checks'] = async (scope, options = {}) => {
  const [place, page] = await Promise.all([istiodPlace(scope, options), readable(meshPage(scope, options))]);
  return [
    nameCheck(place),
    tcpCheck(place),
    tlsCheck(place),
    clockCheck(scope),
    certificateCheck(scope),
    tokenCheck(scope),
    unitCheck(UNIT),
    readyCheck(),
    agentLogCheck(scope),
    listenersCheck(),
    captureCheck(),
    sshCheck(),
    skewCheck(scope),
    entryCheck(scope, groups, options),
    namesCheck(scope),
    serviceCheck(scope, page),
  ];
};

async function istiodPlace({ entry, api, controlPlane }: VmScope, options: CallOptions): Promise<IstiodPlace> {
  const [revision, gateway] = await Promise.all([readRevision(entry, api, options), readable(readGateway({ entry, api }, options))]);
  const address = gateway?.place?.value;
  const hostname = placeAsName(entry, gateway?.place)?.value;
  if (hostname !== undefined) {
    const certify = commandsFor({ entry, controlPlane }, revision.value, hostname).helm;
    return { name: hostname, address: undefined, gateway: refName(gatewayRef(entry)), certify };
  }
  return {
    name: istiodHost(entry.istio.namespace, revision.value),
    address: address === undefined || !isAddress(address) ? undefined : address,
    gateway: refName(gatewayRef(entry)),
  };
}

/** What this account may not read is not compared with. */
async function readable<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isMeshError(error, 'kube.forbidden')) return undefined;
    throw error;
  }
}
