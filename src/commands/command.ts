import type { App } from '../editor/app.ts';

/** A command over the parts of the extension. `node` and `nodes` are the clicked and the selected tree nodes, or a document's URI; neither from the palette. */
export type Command = (app: App) => (node?: unknown, nodes?: unknown) => Promise<void>;
