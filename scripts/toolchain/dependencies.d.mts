export const root: string;
export function ensureDependencies(): Promise<void>;
