import { AsyncLocalStorage } from 'node:async_hooks';
import * as vscode from 'vscode';
import { Secret } from '../mesh/secret.ts';
import type { HostPrompter } from '../mesh/ports.ts';
import type { Log } from './log.ts';
import { unlinked, type Texts } from './texts.ts';

/** Questions of a connection, asked only inside `interactively`: what the tree reads by itself never opens a dialog, the node says what is needed instead. */
export interface Prompts extends HostPrompter {
  interactively<T>(work: () => Promise<T>): Promise<T>;
}

export function createPrompts(texts: Texts, log: Log): Prompts {
  const asking = new AsyncLocalStorage<true>();
  const { t } = texts;
  return {
    interactively: (work) => asking.run(true, work),
    confirmHostKey: async ({ host, address, keyType, fingerprint }) => {
      if (asking.getStore() !== true) return false;
      const trust = t('editor.hostKey.trust');
      const detail = t('editor.hostKey.detail', { address, keyType, fingerprint });
      return (await vscode.window.showWarningMessage(t('editor.hostKey.question', { host }), { modal: true, detail }, trust)) === trust;
    },
    secret: async ({ kind, host, prompt, echo }) => {
      if (asking.getStore() !== true) return undefined;
      const value = await vscode.window.showInputBox({
        title: t(`editor.secret.${kind}`, { host }),
        // The server's own words.
        prompt: unlinked(prompt),
        password: !echo,
        ignoreFocusOut: true,
      });
      return value === undefined ? undefined : new Secret(value);
    },
    note: (text) => log.info(texts.say(text)),
  };
}
