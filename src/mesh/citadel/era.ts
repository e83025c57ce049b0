import type { Era } from '../era.ts';
import { citadelFindings } from '../lint/citadel.ts';
import { checks } from './checks.ts';
import { detect, pinned } from './detect.ts';
import { planExposePorts } from './exposePorts.ts';
import { generate, hostInputs } from './generate.ts';
import { planJoin } from './join.ts';
import { wholeProbe } from './joinContext.ts';
import { planLeave } from './leave.ts';
import { readBalancers } from './loadBalancers.ts';
import { factsOf } from './problems.ts';
import { planPush } from './push.ts';
import { readServices } from './registeredServices.ts';
import { planDeregister, planRegister } from './registration.ts';
import { planSetup, setupPreview } from './setup.ts';

/** Istio 0.2 - 1.4: Pilot, Mixer, Citadel, node agent (citadel facts). */
export const citadel: Era = {
  id: 'citadel',
  detect,
  pinned,
  loadBalancers: readBalancers,
  services: readServices,
  setupPreview,
  planSetup,
  hostInputs,
  generate,
  lint: citadelFindings,
  probe: (scope, files) => wholeProbe(factsOf(scope), files),
  planJoin,
  planPush,
  planLeave,
  planExposePorts,
  planRegister,
  planDeregister,
  checks,
};
