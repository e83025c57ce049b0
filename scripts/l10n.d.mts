export function readMessages(folder?: string): { bundles: Record<'en' | 'zh-cn', Record<string, string>>; problems: string[] };
export function usedIds(folder?: string): Map<string, string>;
export function unusedIds(ids: readonly string[], folder?: string): string[];
