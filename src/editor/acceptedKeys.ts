import type * as vscode from 'vscode';

/** Host keys that the person accepted in this editor, as known_hosts lines; ~/.ssh/known_hosts stays ssh's. Not synchronized between machines. */
export interface AcceptedKeys {
  read(): string;
  lines(): readonly string[];
  append(line: string): void;
  /** Takes lines away; the hosts are asked about again. */
  forget(lines: readonly string[]): Promise<void>;
}

const KEY = 'acceptedHostKeys';

export function createAcceptedKeys(state: vscode.Memento): AcceptedKeys {
  const read = () => state.get<string>(KEY, '');
  const lines = () =>
    read()
      .split('\n')
      .filter((line) => line !== '');
  return {
    read,
    lines,
    append: (line) => void state.update(KEY, `${read()}${line}\n`),
    forget: async (forgotten) => {
      const kept = lines().filter((line) => !forgotten.includes(line));
      await state.update(KEY, kept.map((line) => `${line}\n`).join(''));
    },
  };
}
