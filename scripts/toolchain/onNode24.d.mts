export function node24Environment(): NodeJS.ProcessEnv;
export function node24(): string;
export function runOnNode24(file: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<number>;
