import type { Era } from '../era.ts';
import { citadelFindings } from '../lint/citadel.ts';
import { checks } from './checks.ts';
import { detect, pinned } from './detect.ts';
import { planExposePorts } from './exposePorts.ts';
import { generate, hostInputs } from './generate.ts';
import { planJoin, planPush, planRenew, planUpgrade } from './join.ts';
import { planLeave } from './leave.ts';
import { readBalancers } from './loadBalancers.ts';
import { readServices } from './registeredServices.ts';
import { planDeregister, planRegister } from './registration.ts';
import { planSetup, setupPreview } from './setup.ts';
import { sidecarOf } from './sidecar.ts';

/** Istio 0.2 - 1.4: Pilot, Mixer, Citadel, node agent (citadel facts). */
export const citadel: Era = {
  id: 'citadel',
  watched: async () => [
    { apiVersion: 'v1', kind: 'Service' },
    { apiVersion: 'v1', kind: 'Endpoints' },
  ],
  detect,
  pinned,
  loadBalancers: readBalancers,
  serviceKinds: ['Service', 'Endpoints'],
  services: readServices,
  setupPreview,
  planSetup,
  hostInputs,
  generate,
  lint: citadelFindings,
  probe: (scope, files) => sidecarOf(scope).probe(files),
  planJoin,
  planPush,
  planRenew,
  planUpgrade,
  planLeave,
  planExposePorts,
  planRegister,
  planDeregister,
  checks,
};
