export function say(text: string): void;
export function run(
  file: string,
  args: readonly string[],
  options?: { cwd?: string; env?: NodeJS.ProcessEnv; verbose?: boolean; timeoutMs?: number },
): Promise<string>;
