import { readFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { createRooms } from './backends.ts';
import { commands } from './commands/index.ts';
import { createAcceptedKeys } from './editor/acceptedKeys.ts';
import type { App } from './editor/app.ts';
import { registerCommands } from './editor/commandRegistry.ts';
import { createContextSetter } from './editor/contextKeys.ts';
import { createFacts } from './editor/facts.ts';
import { createGeneratedTexts } from './editor/generatedTexts.ts';
import { createLog } from './editor/log.ts';
import { createPlans } from './editor/plans.ts';
import { createProblems } from './editor/problems.ts';
import { createPrompts } from './editor/prompts.ts';
import { createPublicApi, type MeshExpansionApi } from './editor/publicApi.ts';
import { logReadErrors } from './editor/readErrors.ts';
import { createSession } from './editor/session.ts';
import { readSettings } from './editor/settings.ts';
import { createTexts } from './editor/texts.ts';
import { generatedScheme, hostScheme, textScheme } from './editor/uris.ts';
import type { MessageBundle } from './mesh/messages.ts';
import { CheckLinks } from './providers/checkLinks.ts';
import { CheckTasks } from './providers/checkTasks.ts';
import { checksText } from './providers/checkText.ts';
import { Decorations } from './providers/decorations.ts';
import { Diagnostics } from './providers/diagnostics.ts';
import { GeneratedFiles } from './providers/generatedFiles.ts';
import { HostContent } from './providers/hostContent.ts';
import { Hovers } from './providers/hovers.ts';
import { Lenses } from './providers/lenses.ts';
import { QuickFixes } from './providers/quickFixes.ts';
import { TextDocuments } from './providers/textDocuments.ts';
import { Aging } from './views/aging.ts';
import { Forms } from './views/forms/forms.ts';
import { OpenedFiles } from './views/openedFiles.ts';
import { MeshTree } from './views/tree.ts';
import { Watches } from './views/watches.ts';

/** Puts the parts together. Nothing is loaded, read or contacted here: that begins when the view is opened or a command runs. */
export function activate(context: vscode.ExtensionContext): MeshExpansionApi {
  const texts = createTexts(vscode.env.language, (file) => readBundle(vscode.Uri.joinPath(context.extensionUri, 'l10n', file).fsPath));
  const channel = vscode.window.createOutputChannel('Mesh Expansion', { log: true });
  const log = createLog(channel, texts);
  const keys = createContextSetter();
  const prompts = createPrompts(texts, log);
  const problems = createProblems(texts, log);
  const acceptedKeys = createAcceptedKeys(context.globalState);
  const rooms = createRooms(acceptedKeys);
  const session = createSession({ context, rooms, prompts, initial: readSettings().playground ? 'playground' : 'real' });
  const generated = createGeneratedTexts(context, session);
  const facts = createFacts(session, (made) => generated.take(made));
  const plans = createPlans({ texts, log, problems, prompts, session, facts, generated });
  const tree = new MeshTree({ session, facts, texts, keys });
  const textDocuments = new TextDocuments();

  const app: App = {
    context,
    texts,
    log,
    problems,
    prompts,
    keys,
    session,
    acceptedKeys,
    facts,
    generated,
    plans,
    repaint: () => tree.repaint(),
    focusTree: async () => {
      if (view.visible) await vscode.commands.executeCommand('meshExpansion.tree.focus');
    },
    openForm: (request) => forms.open(request),
    runChecks: (vm, only) => checks.run(vm, only),
    askHost: (uri) => hostContent.ask(uri),
    showText: (name, text, language) => textDocuments.show(name, text, language),
    checksText: (vm, results) => checksText(vm, results, texts),
  };
  const hostContent = new HostContent({ session, prompts, texts, generated });
  const forms = new Forms(app);
  const checks = new CheckTasks(app);

  const view = vscode.window.createTreeView('meshExpansion.tree', { treeDataProvider: tree, canSelectMany: true, showCollapseAll: true });
  tree.onAttention = (count) => {
    view.badge = count === 0 ? undefined : { value: count, tooltip: texts.t('editor.badge', { count }) };
    view.description = session.source() === 'playground' ? texts.t('editor.tree.playground') : undefined;
  };
  /** An edit shows on a VM that was read before; others are left alone. */
  const readAgain = async (vm: string) => (facts.vm(vm).value === undefined ? undefined : facts.readVmAnew(vm));
  const selector = { scheme: generatedScheme };
  context.subscriptions.push(
    channel,
    session,
    facts,
    generated,
    tree,
    view,
    logReadErrors(facts, log),
    new Watches(view, session, facts, log),
    new Aging(view, facts, () => tree.repaint()),
    new OpenedFiles(view, generated, app.askHost),
    textDocuments,
    registerCommands(app, commands),
    forms,
    checks,
    ...register(new GeneratedFiles(generated, facts, texts, (vm) => void readAgain(vm)), (provider) =>
      vscode.workspace.registerFileSystemProvider(generatedScheme, provider),
    ),
    plans,
    plans.onDidRun((vms) => hostContent.refresh(vms)),
    ...register(hostContent, (provider) => vscode.workspace.registerTextDocumentContentProvider(hostScheme, provider)),
    vscode.workspace.registerTextDocumentContentProvider(textScheme, textDocuments),
    vscode.languages.registerCodeLensProvider(selector, new Lenses(generated, texts)),
    vscode.languages.registerHoverProvider(selector, new Hovers(generated, texts)),
    vscode.window.registerFileDecorationProvider(new Decorations(facts, texts)),
    vscode.window.registerTerminalLinkProvider(new CheckLinks(app)),
    new Diagnostics(app),
    vscode.languages.registerCodeActionsProvider([selector, { scheme: 'file', pattern: '**/mesh-expansion.yaml' }], new QuickFixes(app)),
  );
  return createPublicApi(app);
}

function register<T extends vscode.Disposable>(provider: T, how: (provider: T) => vscode.Disposable): readonly vscode.Disposable[] {
  return [provider, how(provider)];
}

/** Texts are read on first use; the files are ours and small. */
function readBundle(path: string): MessageBundle | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as MessageBundle;
  } catch {
    return undefined;
  }
}
