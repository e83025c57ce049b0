import type { Command } from './command.ts';

export const showLog: Command = (app) => async () => app.log.show();
