export const cacheDirectory: string;
export function node24Bin(): string;
