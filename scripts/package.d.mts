export function packExtension(options?: { reuse?: boolean; out?: string }): Promise<string>;
