import type { Era } from '../era.ts';
import { istiodFindings } from '../lint/istiod.ts';

/** Findings of this era. */
export const findings: Era['lint'] = istiodFindings;
