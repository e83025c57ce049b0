import * as vscode from 'vscode';
import type { Texts } from './texts.ts';

/** Commands whose `enablement` in package.json asks for a trusted workspace: that hides them, but stops neither a key binding nor a link. */
export function commandsThatNeedTrust(manifest: unknown): ReadonlySet<string> {
  const { contributes } = manifest as {
    readonly contributes: { readonly commands: readonly { readonly command: string; readonly enablement?: string }[] };
  };
  return new Set(
    contributes.commands.filter(({ enablement = '' }) => enablement.includes('isWorkspaceTrusted')).map(({ command }) => command),
  );
}

/** Says why something was not done in a folder that is not trusted, and offers the editor's own page where that is changed. */
export async function askForTrust({ t }: Texts, title: string): Promise<void> {
  const manage = t('editor.command.manageTrust');
  const chosen = await vscode.window.showWarningMessage(`${title}: ${t('editor.untrusted')}`, manage);
  if (chosen === manage) await openTrust();
}

export async function openTrust(): Promise<void> {
  await vscode.commands.executeCommand('workbench.trust.manage');
}
