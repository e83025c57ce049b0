import * as vscode from 'vscode';
import type { App } from '../editor/app.ts';
import { fullId } from '../editor/commandIds.ts';
import { fileUri } from '../editor/uris.ts';
import type { ObjectRef } from '../mesh/ports.ts';
import { placesOf } from './namesInLine.ts';

class CheckLink extends vscode.TerminalLink {
  readonly open: () => Thenable<unknown>;

  constructor(startIndex: number, length: number, tooltip: string, open: () => Thenable<unknown>) {
    super(startIndex, length, tooltip);
    this.open = open;
  }
}

/** Names in the output of checks (ui.md): a generated file opens, a load balancer or service shows its object. */
export class CheckLinks implements vscode.TerminalLinkProvider<CheckLink> {
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  async provideTerminalLinks({ line, terminal }: vscode.TerminalLinkContext): Promise<CheckLink[]> {
    const { inventory } = await this.#app.session.file.read();
    const vm = inventory.vms.find(({ name }) => terminal.name.endsWith(this.#app.texts.t('editor.check.task', { vm: name })));
    if (vm === undefined) return [];
    return [...this.#files(vm.cluster, vm.name), ...this.#objects(vm.cluster)].flatMap(([name, open]) =>
      placesOf(name, line).map((at) => new CheckLink(at, name.length, this.#app.texts.t('editor.tree.open'), open)),
    );
  }

  handleTerminalLink({ open }: CheckLink): void {
    void open();
  }

  #files(cluster: string, vm: string): readonly (readonly [string, CheckLink['open']])[] {
    return (this.#app.facts.vm(vm).value?.files ?? []).map(({ file: { path } }) => [
      path,
      () => vscode.commands.executeCommand(fullId('openFile'), fileUri({ cluster, vm, path })),
    ]);
  }

  #objects(cluster: string): readonly (readonly [string, CheckLink['open']])[] {
    const { loadBalancers = [], services = [] } = this.#app.facts.cluster(cluster).value ?? {};
    const open = (ref: ObjectRef) => () => vscode.commands.executeCommand(fullId('showObject'), { cluster, ref });
    const balancers = loadBalancers.filter(({ state }) => state !== 'missing').map(({ ref }) => ref);
    return [
      ...balancers.map((ref) => [ref.name, open(ref)] as const),
      ...[...balancers, ...services.map(({ ref }) => ref)].map((ref) => [`${ref.namespace ?? ''}/${ref.name}`, open(ref)] as const),
    ];
  }
}
