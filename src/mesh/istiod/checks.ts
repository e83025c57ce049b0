import type { Era } from '../era.ts';

/** Connection checks of this era. */
export const checks: Era['checks'] = () => Promise.resolve([]);
