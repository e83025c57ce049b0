export function installPackages(names: readonly string[]): Promise<void>;
export function ensureChromium(): Promise<string>;
