import type { Era } from '../era.ts';
import { checks } from './checks.ts';
import { detect, pinned, pinnedDetails } from './detect.ts';
import { generate, hostInputs } from './generate.ts';
import { entryOf, groups } from './groups.ts';
import { findings } from './lint.ts';
import { readBalancers } from './loadBalancers.ts';
import { planDeregister, planRegister } from './registration.ts';
import { readServices } from './services.ts';
import { planSetup, setupPreview } from './setup.ts';
import { sidecarOf } from './sidecar.ts';
import { vmPlans } from './vmPlans.ts';
import { watched } from './watched.ts';

/** Istio 1.8 - today: istiod, workload groups, and a sidecar on the VM that renews its own certificates (istiod facts). */
export const istiod: Era = {
  id: 'istiod',
  groups,
  watched,
  detect,
  pinned,
  details: pinnedDetails,
  loadBalancers: readBalancers,
  serviceKinds: ['Service', 'ServiceEntry'],
  services: readServices,
  setupPreview,
  planSetup,
  hostInputs,
  generate,
  lint: findings,
  probe: (scope, files) => sidecarOf(scope).probe(files),
  ...vmPlans({ entryOf, checks }),
  planRegister,
  planDeregister,
  checks,
};
