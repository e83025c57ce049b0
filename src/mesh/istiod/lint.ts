import type { Era } from '../era.ts';

/** Findings of this era. */
export const findings: Era['lint'] = () => [];
