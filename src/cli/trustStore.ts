import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** Host keys that a person accepted at a prompt, as known_hosts lines of our own: ~/.ssh/known_hosts is ssh's. Kept under XDG_STATE_HOME. */
export function fileTrustStore(env: Readonly<Record<string, string | undefined>> = process.env): {
  readonly file: string;
  read(): string;
  append(line: string): void;
} {
  const state = env.XDG_STATE_HOME ?? '';
  const file = path.join(path.isAbsolute(state) ? state : path.join(homedir(), '.local', 'state'), 'mesh-expansion', 'known_hosts');
  return {
    file,
    read: () => {
      try {
        return readFileSync(file, 'utf8');
      } catch {
        return '';
      }
    },
    append: (line) => {
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      appendFileSync(file, `${line}\n`, { mode: 0o600 });
    },
  };
}
