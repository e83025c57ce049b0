import type { App } from '../../editor/app.ts';
import { asMeshError } from '../../mesh/errors.ts';
import type { FormDefinition, PreviewFacts } from './definition.ts';
import { failedPreview, previewOf } from './previewOf.ts';
import type { Preview, Values } from './protocol.ts';

/** Makes the right column of a form: lets the core see what is typed as drafts, and asks the plans what they would do. One reading at a time. */
export class PreviewReader {
  readonly #app: App;
  readonly #definition: FormDefinition;
  readonly #id: string;
  #drafts = 0;
  #reading: AbortController | undefined;

  /** `id` tells the drafts of one form from another's. */
  constructor(app: App, definition: FormDefinition, id: string) {
    this.#app = app;
    this.#definition = definition;
    this.#id = id;
  }

  /** Undefined where a later reading has begun, or this one was stopped. */
  async read(values: Values): Promise<Preview | undefined> {
    this.stop();
    const { signal } = (this.#reading = new AbortController());
    const { session, texts, log } = this.#app;
    let found: PreviewFacts = { facts: [] };
    try {
      await this.setDrafts(values, signal);
      const { previewPlan } = await session.rooms.mesh();
      found = (await this.#definition.facts?.(values, signal)) ?? found;
      const previews = await Promise.all(
        this.#definition.jobs(values).map(async (job) => previewPlan(await job.make({ signal }), { signal })),
      );
      return signal.aborted ? undefined : { ...previewOf(previews, found.facts, texts), commands: found.commands };
    } catch (thrown) {
      if (signal.aborted) return undefined;
      const error = asMeshError(thrown);
      log.info(`${this.#definition.title}: ${error.code}: ${texts.say(error.userMessage)}`);
      return { ...failedPreview(error, found.facts, texts), commands: found.commands };
    }
  }

  stop(): void {
    this.#reading?.abort();
  }

  async setDrafts(values: Values, signal?: AbortSignal): Promise<void> {
    const drafts = await this.#definition.drafts(values);
    // A later preview has set its own meanwhile.
    signal?.throwIfAborted();
    this.dropDrafts();
    drafts.forEach((draft, index) => this.#app.session.setDraft(`${this.#id}.${index}`, draft));
    this.#drafts = drafts.length;
  }

  dropDrafts(): void {
    for (let index = 0; index < this.#drafts; index += 1) this.#app.session.setDraft(`${this.#id}.${index}`, undefined);
    this.#drafts = 0;
  }
}
