import type { Check } from '../era.ts';
import { curlCheck, type HttpQuestion } from '../host/checkHttp.ts';
import { message } from '../messages.ts';

/** A page by a name of the mesh: dnsmasq must know it (citadel facts 2.2). */
export function meshCurl(question: HttpQuestion): Check {
  return curlCheck({ ...question, unresolved });
}

export const unresolved = { why: message('citadel.check.http.why-name'), next: message('citadel.check.http.next-name') } as const;
