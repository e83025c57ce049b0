import * as vscode from 'vscode';
import type { App } from '../editor/app.ts';
import { fileUri, generatedScheme } from '../editor/uris.ts';
import type { Finding, Severity } from '../mesh/model.ts';

const severities: Readonly<Record<Severity, vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  info: vscode.DiagnosticSeverity.Information,
};

/** Findings of the core on generated files, and what is wrong in the inventory, where it stands. */
export class Diagnostics implements vscode.Disposable {
  readonly #app: App;
  readonly #collection = vscode.languages.createDiagnosticCollection('mesh-expansion');
  readonly #subscriptions: readonly vscode.Disposable[];

  constructor(app: App) {
    this.#app = app;
    const inventory = () => void this.#inventory();
    this.#subscriptions = [
      app.generated.onDidChange((uris) => this.#files(uris)),
      app.facts.onDidChange(inventory),
      app.session.file.onDidChange(inventory),
      app.session.onDidReset(() => this.#collection.clear()),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#collection.dispose();
  }

  #files(uris: readonly vscode.Uri[]): void {
    const { facts, generated, session } = this.#app;
    const names = new Set([...facts.known().vms, ...uris.map((uri) => decodeURIComponent(uri.path.split('/')[2] ?? ''))]);
    void session.file.read().then(({ inventory }) => {
      for (const vm of inventory.vms.filter(({ name }) => names.has(name))) {
        const byPath = new Map<string, Finding[]>();
        for (const finding of generated.findings(vm.name)) {
          if (finding.at.path.startsWith('/')) byPath.set(finding.at.path, [...(byPath.get(finding.at.path) ?? []), finding]);
        }
        const paths = new Set([...byPath.keys(), ...(facts.vm(vm.name).value?.files.map(({ file }) => file.path) ?? [])]);
        for (const path of paths) {
          const address = { cluster: vm.cluster, vm: vm.name, path };
          const text = generated.peek(address)?.text ?? '';
          this.#collection.set(
            fileUri(address),
            (byPath.get(path) ?? []).map((finding) => this.#diagnostic(finding, text)),
          );
        }
      }
    });
  }

  #diagnostic(finding: Finding, text: string): vscode.Diagnostic {
    const { say } = this.#app.texts;
    const line = finding.at.line ?? 0;
    const content = text.split('\n')[line] ?? '';
    const start = finding.at.value === undefined ? 0 : Math.max(0, content.indexOf(finding.at.value));
    const end = finding.at.value === undefined || !content.includes(finding.at.value) ? content.length : start + finding.at.value.length;
    const next = finding.nextStep === undefined ? '' : `\n${say(finding.nextStep)}`;
    const diagnostic = new vscode.Diagnostic(
      new vscode.Range(line, start, line, end),
      `${say(finding.text)}${next}`,
      severities[finding.severity],
    );
    diagnostic.source = 'Mesh Expansion';
    diagnostic.code = finding.rule;
    return diagnostic;
  }

  async #inventory(): Promise<void> {
    const { session, texts } = this.#app;
    const { uri, problems } = await session.file.read();
    if (uri.scheme === generatedScheme) return;
    this.#collection.set(
      uri,
      problems.map(({ position, text, rule }) => {
        const range = new vscode.Range(position.line - 1, position.column - 1, position.endLine - 1, position.endColumn - 1);
        const diagnostic = new vscode.Diagnostic(range, texts.say(text), vscode.DiagnosticSeverity.Error);
        diagnostic.source = 'Mesh Expansion';
        diagnostic.code = rule;
        return diagnostic;
      }),
    );
  }
}
