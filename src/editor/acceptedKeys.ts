import type * as vscode from 'vscode';

/** Host keys that the person accepted in this editor, as known_hosts lines; ~/.ssh/known_hosts stays ssh's. Not synchronized between machines. */
export interface AcceptedKeys {
  read(): string;
  append(line: string): void;
  /** Takes lines away; the hosts are asked about again. */
  forget(lines: readonly string[]): Promise<void>;
}

const KEY = 'acceptedHostKeys';

export function createAcceptedKeys(state: vscode.Memento): AcceptedKeys {
  const read = () => state.get<string>(KEY, '');
  return {
    read,
    append: (line) => void state.update(KEY, `${read()}${line}\n`),
    forget: async (lines) => {
      const kept = read()
        .split('\n')
        .filter((line) => line !== '' && !lines.includes(line));
      await state.update(KEY, kept.map((line) => `${line}\n`).join(''));
    },
  };
}
