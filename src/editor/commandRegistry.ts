import * as vscode from 'vscode';
import type { App } from './app.ts';
import { fullId, type CommandId } from './commandIds.ts';
import { UNNAMED_ROW } from './targets.ts';
import { askForTrust, commandsThatNeedTrust } from './trust.ts';

type Handlers = Readonly<Record<CommandId, (app: App) => (node?: unknown, nodes?: unknown) => Promise<void>>>;

/** Registers every command; what one throws is shown with its next step and *Show Log*, never lost. */
export function registerCommands(app: App, handlers: Handlers): vscode.Disposable {
  const needTrust = commandsThatNeedTrust(app.context.extension.packageJSON);
  const registered = (Object.keys(handlers) as CommandId[]).map((id) => {
    const handler = handlers[id](app);
    return vscode.commands.registerCommand(fullId(id), async (...args: readonly unknown[]) => {
      try {
        if (!vscode.workspace.isTrusted && needTrust.has(fullId(id))) {
          void askForTrust(app.texts, app.texts.t(`editor.command.${id}`));
          return;
        }
        const [node, nodes] = args;
        await handler(args.length > 0 && node === undefined ? UNNAMED_ROW : node, nodes);
      } catch (thrown) {
        void app.problems.show(app.texts.t(`editor.command.${id}`), thrown);
      }
    });
  });
  return vscode.Disposable.from(...registered);
}
