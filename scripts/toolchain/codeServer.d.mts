export function ensureCodeServer(): Promise<{ node: string; entry: string; version: string }>;
