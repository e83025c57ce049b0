import type * as vscode from 'vscode';
import type { CheckResult } from '../mesh/model.ts';
import type { AcceptedKeys } from './acceptedKeys.ts';
import type { ContextSetter } from './contextKeys.ts';
import type { Facts } from './facts.ts';
import type { GeneratedTexts } from './generatedTexts.ts';
import type { Log } from './log.ts';
import type { Plans } from './plans.ts';
import type { Problems } from './problems.ts';
import type { Prompts } from './prompts.ts';
import type { Session } from './session.ts';
import type { Texts } from './texts.ts';

/** What a form begins with. */
export type FormRequest =
  | { readonly kind: 'setup'; readonly cluster?: string }
  | {
      readonly kind: 'join';
      readonly cluster?: string;
      readonly vm?: string;
      readonly host?: string;
      readonly address?: string;
      /** NAMESPACE/NAME. */ readonly group?: string;
    }
  | { readonly kind: 'register'; readonly cluster?: string; readonly service?: string; readonly vms?: readonly string[] }
  /** `group`: NAMESPACE/NAME of one to edit; absent for a new one. */
  | { readonly kind: 'group'; readonly cluster?: string; readonly group?: string };

/** The parts of the extension, as commands, providers and views see them; extension.ts puts them together. */
export interface App {
  readonly context: vscode.ExtensionContext;
  readonly texts: Texts;
  readonly log: Log;
  readonly problems: Problems;
  readonly prompts: Prompts;
  readonly keys: ContextSetter;
  readonly session: Session;
  readonly acceptedKeys: AcceptedKeys;
  readonly facts: Facts;
  readonly generated: GeneratedTexts;
  readonly plans: Plans;
  /** Draws the tree again from what is known. */
  readonly repaint: () => void;
  /** Gives the tree the keyboard where it is on the screen. */
  readonly focusTree: () => Promise<void>;
  readonly openForm: (request: FormRequest) => void;
  /** Runs checks in a terminal. */
  readonly runChecks: (vm: string, only?: readonly string[]) => Promise<void>;
  /** Has a document of a VM's file read, or read again, from the VM. */
  readonly askHost: (uri: vscode.Uri) => void;
  /** Opens a read-only document with a text made now. */
  readonly showText: (name: string, text: string, language: string) => Promise<void>;
  readonly checksText: (vm: string, results: readonly CheckResult[]) => string;
}
