import * as vscode from 'vscode';
import type { CommandId } from '../editor/commandIds.ts';

/** What a line of the tree shows; the mapper adds what all lines have in common. */
export interface Line {
  readonly label: string;
  readonly description?: string;
  readonly icon: vscode.ThemeIcon;
  /** Tags of `viewItem`: kind, then `+tag`s. */
  readonly context: string;
  readonly open?: vscode.TreeItemCollapsibleState;
  readonly command?: CommandId;
  readonly resource?: vscode.Uri;
  /** The state in words, for who does not see the icon. */
  readonly state?: string;
}

const color = {
  good: new vscode.ThemeColor('testing.iconPassed'),
  bad: new vscode.ThemeColor('list.errorForeground'),
  warning: new vscode.ThemeColor('list.warningForeground'),
  dim: new vscode.ThemeColor('disabledForeground'),
};

export function icon(id: string, shade?: keyof typeof color): vscode.ThemeIcon {
  return new vscode.ThemeIcon(id, shade === undefined ? undefined : color[shade]);
}
