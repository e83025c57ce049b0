import type * as vscode from 'vscode';
import type { App, FormRequest } from '../../editor/app.ts';
import type { FormDefinition } from './definition.ts';
import { FormPanel } from './formPanel.ts';
import { groupForm } from './groupForm.ts';
import { joinForm } from './joinForm.ts';
import { registerForm } from './registerForm.ts';
import { setupForm } from './setupForm.ts';

/** The forms as one bundle (dist/forms.cjs), loaded when the first one is opened. */
export function fillPanel(app: App, request: FormRequest, panel: vscode.WebviewPanel): void {
  new FormPanel(app, definitionOf(app, request), panel, request);
}

function definitionOf(app: App, request: FormRequest): FormDefinition {
  switch (request.kind) {
    case 'setup':
      return setupForm(app, request);
    case 'join':
      return joinForm(app, request);
    case 'register':
      return registerForm(app, request);
    case 'group':
      return groupForm(app, request);
  }
}
