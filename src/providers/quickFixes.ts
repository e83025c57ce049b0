import * as vscode from 'vscode';
import type { App } from '../editor/app.ts';
import { fullId, type CommandId } from '../editor/commandIds.ts';
import { addressOf } from '../editor/uris.ts';

/** What helps against a finding, by its rule's first word; nothing where no command does. */
const helpers: Readonly<Record<string, readonly CommandId[]>> = {
  'edit.conflict': ['keepEdit', 'discardEdits', 'compare'],
  'edit.not-editable': ['discardEdits'],
  'edit.orphan': ['discardEdits'],
};

/** Quick fixes: the commands that end a finding, and the nearest known key for a typo in the inventory. */
export class QuickFixes implements vscode.CodeActionProvider {
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  async provideCodeActions(
    document: vscode.TextDocument,
    _range: vscode.Range,
    { diagnostics }: vscode.CodeActionContext,
  ): Promise<vscode.CodeAction[]> {
    const ours = diagnostics.filter(({ source }) => source === 'Mesh Expansion');
    const fixes = await Promise.all(ours.map((diagnostic) => this.#fixes(document, diagnostic)));
    return fixes.flat();
  }

  async #fixes(document: vscode.TextDocument, diagnostic: vscode.Diagnostic): Promise<readonly vscode.CodeAction[]> {
    const address = addressOf(document.uri);
    if (address === undefined) return this.#spelling(document, diagnostic);
    const rule = typeof diagnostic.code === 'string' ? diagnostic.code : '';
    const held = address.kind === 'file' ? this.#app.generated.peek(address) : undefined;
    const ids = helpers[rule] ?? (held?.edited === true ? (['discardEdits', 'openInventory'] as const) : (['openInventory'] as const));
    return ids.map((id) => this.#command(id, document.uri, diagnostic));
  }

  #command(id: CommandId, uri: vscode.Uri, diagnostic: vscode.Diagnostic): vscode.CodeAction {
    const title = this.#app.texts.t(`editor.command.${id}`);
    const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
    action.command = { title, command: fullId(id), arguments: [uri] };
    action.diagnostics = [diagnostic];
    return action;
  }

  /** A misspelled key of the inventory becomes the nearest known one. */
  async #spelling(document: vscode.TextDocument, diagnostic: vscode.Diagnostic): Promise<readonly vscode.CodeAction[]> {
    const { problems } = await this.#app.session.file.read();
    const { start } = diagnostic.range;
    const nearest = problems.find(
      ({ rule, position }) => rule === diagnostic.code && position.line === start.line + 1 && position.column === start.character + 1,
    )?.text.args.nearest;
    if (typeof nearest !== 'string') return [];
    const action = new vscode.CodeAction(this.#app.texts.t('editor.fix.rename', { nearest }), vscode.CodeActionKind.QuickFix);
    action.edit = new vscode.WorkspaceEdit();
    action.edit.replace(document.uri, diagnostic.range, nearest);
    action.diagnostics = [diagnostic];
    action.isPreferred = true;
    return [action];
  }
}
