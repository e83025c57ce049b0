import * as vscode from 'vscode';
import { asMeshError, type MeshError } from '../mesh/errors.ts';
import type { Log } from './log.ts';
import type { Texts } from './texts.ts';

/** Errors as a person sees them: the message, the next step, *Show Log* and what else can be done. */
export interface Problems {
  /** Message and next step in one text. */
  text(error: MeshError): string;
  /** Logs the error and shows it; a cancellation is only logged. Answers the chosen action. */
  show(during: string, thrown: unknown, actions?: readonly string[]): Promise<string | undefined>;
}

export function createProblems(texts: Texts, log: Log): Problems {
  const text = (error: MeshError) =>
    error.nextStep === undefined ? texts.say(error.userMessage) : `${texts.say(error.userMessage)} ${texts.say(error.nextStep)}`;
  return {
    text,
    show: async (during, thrown, actions = []) => {
      const error = asMeshError(thrown);
      if (error.kind === 'cancelled') {
        log.info(`${during}: ${texts.say(error.userMessage)}`);
        return undefined;
      }
      log.error(during, error);
      const showLog = texts.t('editor.action.showLog');
      const chosen = await vscode.window.showErrorMessage(`${during}: ${text(error)}`, ...actions, showLog);
      if (chosen === showLog) log.show();
      return chosen;
    },
  };
}
