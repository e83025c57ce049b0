import * as vscode from 'vscode';
import type { App, FormRequest } from '../../editor/app.ts';
import { asMeshError } from '../../mesh/errors.ts';
import type { PlanResult } from '../../mesh/plan.ts';
import type { CallOptions } from '../../mesh/ports.ts';
import type { Described, FormDefinition } from './definition.ts';
import { addressOf } from '../../editor/uris.ts';
import { formState } from './formState.ts';
import { pageHtml, pageRoots } from './page.ts';
import { readPageMessage, readValues } from './pageMessages.ts';
import { PreviewReader } from './previewReader.ts';
import { defaultPreview, type FromPage, type Preview, type ToPage, type Values } from './protocol.ts';

/** Milliseconds after the last key before the preview is made: long enough to type a name. */
const PREVIEW_AFTER_MS = 500;

/** One open form: values in, state out. Values are kept as they are typed, so that closing the tab or reloading the window loses nothing. */
export class FormPanel {
  readonly #app: App;
  readonly #definition: FormDefinition;
  readonly #panel: vscode.WebviewPanel;
  readonly #keptAs: string;
  /** What the page was shown last, with the change of the page that it knows of. */
  #values: Values = {};
  #revision = 0;
  /** What is to be shown next: the newest values, however far they have got. */
  #newest: Values = {};
  #received = 0;
  #turn = 0;
  #taking: Promise<void> = Promise.resolve();
  #described: Described | undefined;
  #preview: Preview = defaultPreview;
  #restored = false;
  #busy = false;
  /** The page has the keyboard. */
  #focused = false;
  #disposed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #request: FormRequest;
  readonly #reader: PreviewReader;
  readonly #listening: readonly { dispose(): void }[];

  constructor(app: App, definition: FormDefinition, panel: vscode.WebviewPanel, request: FormRequest) {
    this.#app = app;
    this.#definition = definition;
    this.#panel = panel;
    this.#request = request;
    const subject = definition.subject === undefined ? '' : `.${definition.subject}`;
    this.#keptAs = `form.${app.session.source()}.${definition.kind}${subject}`;
    this.#reader = new PreviewReader(app, definition, this.#keptAs);
    panel.title = definition.title;
    panel.iconPath = vscode.Uri.joinPath(app.context.extensionUri, 'media', 'mesh-expansion.svg');
    panel.webview.options = { enableScripts: true, localResourceRoots: pageRoots(app.context.extensionUri) };
    panel.webview.onDidReceiveMessage((raw) => this.#receive(raw));
    panel.onDidDispose(() => this.#dispose());
    const again = () => void (this.#busy || this.#described === undefined ? undefined : this.#take(this.#newest));
    this.#listening = [
      // What Set Up Cluster applies was edited in its document.
      app.generated.onDidChange((uris) => {
        if (definition.kind === 'setup' && uris.some((uri) => addressOf(uri)?.kind === 'manifest')) again();
      }),
      // What is needed is another now, also after an undo or a retry from the summary.
      app.plans.onDidRun(again),
      ...(definition.listen === undefined ? [] : [definition.listen(again)]),
    ];
    panel.webview.html = pageHtml(panel.webview, app.context.extensionUri, app.texts.language, definition.title);
  }

  #receive(raw: unknown): void {
    const read = readPageMessage(raw);
    if (read === undefined) return;
    this.#handle(read).catch((thrown: unknown) => void this.#app.problems.show(this.#definition.title, thrown));
  }

  async #handle(said: FromPage): Promise<void> {
    switch (said.type) {
      case 'ready':
        return this.#start();
      case 'change':
        this.#received = said.revision;
        return this.#change(said.values);
      case 'submit':
        return this.#submit();
      case 'draft':
        return this.#saveDraft();
      case 'cancel':
        return this.#close();
      case 'focus':
        this.#focused = said.here;
        return;
      case 'copy':
        return this.#copy(this.#described?.commandLine);
      case 'copyCommand':
        return this.#copy(this.#preview.commands?.[said.index]?.commandLine);
      case 'connect':
        return this.#app.prompts.interactively(() => this.#readPreview());
      case 'startOver':
        return this.#startOver();
      case 'extra':
        return this.#definition.extra?.(this.#values);
      case 'choose':
        return this.#choose(said.index);
      case 'browse':
        return this.#browse(said.field);
      case 'open':
        return this.#definition.open(this.#values, said.file);
    }
  }

  async #start(): Promise<void> {
    const initial = await this.#definition.initial();
    const kept = readValues(this.#app.context.workspaceState.get(this.#keptAs));
    this.#restored = kept !== undefined;
    await this.#take({ ...initial, ...kept, ...this.#definition.requested });
  }

  async #startOver(): Promise<void> {
    this.#restored = false;
    await this.#keep(undefined);
    await this.#take({ ...(await this.#definition.initial()), ...this.#definition.requested });
  }

  async #change(values: Values): Promise<void> {
    // Taken before anything is waited for: changes count in the order in which they came.
    const taken = this.#take(values);
    await this.#keep(values);
    await taken;
  }

  #take(values: Values): Promise<void> {
    this.#turn += 1;
    this.#newest = values;
    return (this.#taking = this.#settle(values, this.#turn, this.#received));
  }

  async #settle(values: Values, turn: number, revision: number): Promise<void> {
    const settled = (await this.#definition.settle?.(values)) ?? values;
    const described = await this.#definition.describe(settled);
    // Typed on meanwhile: the later change is taken instead.
    if (turn !== this.#turn) return;
    this.#revision = revision;
    this.#values = settled;
    this.#described = described;
    this.#reader.stop();
    clearTimeout(this.#timer);
    const valid = this.#valid();
    this.#preview = valid
      ? { ...this.#preview, status: 'working', summary: this.#app.texts.t('forms.preview.working'), error: undefined }
      : { ...defaultPreview, summary: this.#app.texts.t('forms.preview.invalid') };
    this.#post();
    if (valid)
      this.#timer = setTimeout(
        () => void this.#readPreview().catch((thrown: unknown) => this.#app.log.error(this.#definition.title, asMeshError(thrown))),
        PREVIEW_AFTER_MS,
      );
  }

  #valid(): boolean {
    return this.#described !== undefined && Object.keys(this.#described.problems).length === 0;
  }

  async #readPreview(): Promise<void> {
    const preview = await this.#reader.read(this.#values);
    if (preview === undefined) return;
    this.#preview = preview;
    this.#post();
  }

  async #submit(): Promise<void> {
    await this.#taking;
    if (!this.#valid() || this.#busy) return;
    const values = this.#values;
    this.#busy = true;
    this.#reader.stop();
    this.#post();
    try {
      const jobs = this.#definition.jobs(values).map((job) => ({
        ...job,
        // A retry from the summary may come when the page is gone.
        make: async (options: CallOptions) => {
          await this.#reader.setDrafts(values);
          return job.make(options);
        },
      }));
      await this.#app.plans.run(this.#definition.title, jobs, { confirmed: true, ended: (results) => this.#ended(values, results) });
    } finally {
      this.#busy = false;
    }
    if (!this.#disposed) await this.#take(this.#newest);
  }

  /** The inventory is written once something was done: a refusal leaves it as it was. */
  async #ended(values: Values, results: readonly PlanResult[] | undefined): Promise<void> {
    const ok = results?.every((result) => result.ok) === true;
    if (ok || results?.some((result) => result.changed) === true) await this.#definition.save(values);
    if (ok) {
      await this.#keep(undefined);
      await this.#close();
    }
    // What is saved counts now, and what is edited after it: a draft that stayed would hide that.
    if (this.#disposed) this.#reader.dropDrafts();
  }

  async #saveDraft(): Promise<void> {
    await this.#taking;
    if (!this.#valid()) return;
    await this.#definition.save(this.#values);
    await this.#keep(undefined);
    await this.#close();
    this.#app.repaint();
  }

  /** Who works by keyboard goes on in the tree, where what was done shows: a page that is gone leaves the focus nowhere. */
  async #close(): Promise<void> {
    // Before the page is gone: what a person opens meanwhile must not lose the keyboard to the tree.
    if (this.#focused && this.#panel.active) await this.#app.focusTree();
    this.#panel.dispose();
  }

  async #copy(line: string | undefined): Promise<void> {
    if (line !== undefined) await vscode.env.clipboard.writeText(line);
  }

  async #browse(field: string): Promise<void> {
    const value = await this.#definition.browse?.(field, this.#values);
    if (value !== undefined) await this.#change({ ...this.#values, [field]: value });
  }

  async #choose(index: number): Promise<void> {
    const choice = this.#preview.error?.choices?.[index];
    if (choice !== undefined) await this.#change({ ...this.#values, [choice.field]: choice.value });
  }

  async #keep(values: Values | undefined): Promise<void> {
    await this.#app.context.workspaceState.update(this.#keptAs, values);
  }

  #post(): void {
    if (this.#disposed || this.#described === undefined) return;
    const state = formState(this.#app.texts, {
      definition: this.#definition,
      request: this.#request,
      described: this.#described,
      values: this.#values,
      revision: this.#revision,
      preview: this.#preview,
      busy: this.#busy,
      restored: this.#restored,
    });
    const message: ToPage = { type: 'state', state };
    void this.#panel.webview.postMessage(message);
  }

  #dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
    this.#reader.stop();
    for (const listening of this.#listening) listening.dispose();
    // A plan that runs still works with them.
    if (!this.#busy) this.#reader.dropDrafts();
  }
}
