import * as vscode from 'vscode';
import type { PackageSource } from '../mesh/ports.ts';
import { packageSource } from './packageSource.ts';
import type { Texts } from './texts.ts';

/** Asks for a sidecar package: a path, a URL, or the file dialog behind a button. Undefined where the person gave up. */
export function askPackage(texts: Texts, title: string): Promise<PackageSource | undefined> {
  const { t } = texts;
  return new Promise((resolve) => {
    const input = vscode.window.createInputBox();
    let answer: PackageSource | undefined;
    input.title = title;
    input.prompt = t('editor.package.prompt');
    input.placeholder = 'istio-sidecar.deb';
    input.ignoreFocusOut = true;
    input.buttons = [{ iconPath: new vscode.ThemeIcon('folder-opened'), tooltip: t('editor.package.browse') }];
    const read = () => packageSource(input.value.trim());
    input.onDidChangeValue(() => (input.validationMessage = read() === 'wrong' ? t('editor.package.invalid') : undefined));
    input.onDidTriggerButton(() => {
      const chosen = vscode.window.showOpenDialog({
        canSelectMany: false,
        title,
        filters: { [t('editor.package')]: ['deb', 'rpm', 'VERSION'] },
      });
      void chosen.then((files) => (input.value = files?.[0]?.fsPath ?? input.value));
    });
    input.onDidAccept(() => {
      const source = read();
      if (source === 'wrong' || source === undefined) {
        input.validationMessage = t('editor.package.invalid');
        return;
      }
      answer = source;
      input.hide();
    });
    input.onDidHide(() => {
      input.dispose();
      resolve(answer);
    });
    input.show();
  });
}
