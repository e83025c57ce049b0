import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, FrameLocator, Locator, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { startCodeServer } from '../../scripts/toolchain/serve.mjs';
import type { CodeServer, CodeServerOptions } from '../../scripts/toolchain/serve.mjs';
import { ensureChromium } from '../../scripts/toolchain/systemPackages.mjs';

export interface WorkbenchOptions extends CodeServerOptions {
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** Of each wait. Most take a second; beside the tests on five labs, twenty. */
const LIMIT_MS = 90_000;

/** What this file needs of an element in the page: the project is compiled without the browser's types. */
interface PageElement {
  getAttribute(name: string): string | null;
  readonly textContent: string | null;
}

const QUICK_INPUT = '.quick-input-widget';

/** Progress bars and spinners stand still: drawing what moves takes most of a processor where there is no graphics card. */
const STAND_STILL = `addEventListener('DOMContentLoaded', () => {
  const style = document.createElement('style');
  style.textContent = '.progress-bit, .codicon-modifier-spin, .codicon-loading { animation: none !important }';
  document.head.append(style);
})`;

/** A real VS Code workbench in a browser, driven as a person drives it: by mouse and keyboard. Get one from `startWorkbench`, end it with `close`. */
export class Workbench {
  readonly page: Page;
  readonly server: CodeServer;
  readonly #browser: Browser;

  constructor(server: CodeServer, browser: Browser, page: Page) {
    this.server = server;
    this.page = page;
    this.#browser = browser;
  }

  /** Runs a command of the palette by its full title, e.g. `Mesh Expansion: Join VM`. */
  async command(title: string): Promise<void> {
    const input = this.page.locator(`${QUICK_INPUT} input.input`);
    // While a form closes a key may reach nobody, and the tree may take the keyboard from the palette.
    await this.#until(
      async () => {
        // A palette that is open already keeps the commands that there were when it opened.
        if (await input.isVisible()) await this.page.keyboard.press('Escape');
        await this.page.keyboard.press('F1');
        await input.fill(`>${title}`, { timeout: 5000 });
        await this.page.locator('.quick-input-list [role="option"]').filter({ hasText: title }).first().waitFor({ timeout: 5000 });
        return true;
      },
      `the palette to show ${title}`,
      60_000,
    );
    await this.page.keyboard.press('Enter');
  }

  /** Opens a container of the activity bar by the start of its name. */
  async openContainer(name: string): Promise<void> {
    const action = this.page.locator(`.activitybar .action-label[aria-label^="${name}"]`).first();
    if ((await action.getAttribute('aria-expanded')) !== 'true') await action.click();
    await this.page.locator('.sidebar').waitFor();
  }

  /** Drags the edge of the side bar, so that rows are not cut off. */
  async widenSideBar(pixels: number): Promise<void> {
    const box = await this.page.locator('.part.sidebar').boundingBox();
    if (!box) throw new Error('The side bar is closed.');
    const [x, y] = [box.x + box.width + 2, box.y + box.height / 2];
    await this.page.mouse.move(x, y);
    await this.page.mouse.down();
    await this.page.mouse.move(x + pixels, y, { steps: 5 });
    await this.page.mouse.up();
  }

  /** A row of the visible trees, by a part of its label (text) or by its accessible name (pattern). */
  treeItem(name: string | RegExp): Locator {
    return this.page.locator('.sidebar').getByRole('treeitem', { name });
  }

  /** Texts of all rendered rows, from top to bottom. */
  async treeTexts(): Promise<string[]> {
    return (await this.page.locator('.sidebar [role="treeitem"]').allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').trim());
  }

  /** Opens a collapsed row and waits until it is open. */
  async expand(name: string | RegExp): Promise<void> {
    const row = this.treeItem(name).first();
    await row.waitFor();
    const open = this.treeItem(name).and(this.page.locator('[aria-expanded="true"]')).first();
    // A row that is drawn anew under the mouse is selected by the click, not opened.
    await this.#until(
      async () => {
        if ((await row.getAttribute('aria-expanded')) !== 'true') await row.locator('.monaco-tl-twistie').click();
        await open.waitFor({ timeout: 5000 });
        return true;
      },
      `${String(name)} to open`,
    );
  }

  /** Clicks an inline action of a row by its title. */
  async inlineAction(row: string | RegExp, title: string): Promise<void> {
    const item = this.treeItem(row).first();
    await item.hover();
    await item.locator(`.actions .action-label[aria-label^="${title}"]`).click();
  }

  /** Opens a row's context menu and chooses an entry. */
  async contextMenu(row: string | RegExp, title: string): Promise<void> {
    const entry = this.page.locator('.context-view .action-item').filter({ hasText: title }).first();
    // A row that is drawn anew under the mouse loses the click, or brings the menu of another.
    await this.#until(
      async () => {
        if ((await this.page.locator('.context-view .action-item').count()) > 0) await this.page.keyboard.press('Escape');
        await this.treeItem(row).first().click({ button: 'right' });
        await entry.hover({ timeout: 5000 });
        return true;
      },
      `the menu of ${String(row)} to show ${title}`,
    );
    // A menu takes no click in the moment after it opened: the release of the right button must not choose.
    await this.page.waitForTimeout(400);
    await entry.click();
    await this.page.locator('.context-view .action-item').first().waitFor({ state: 'hidden' });
  }

  /**
   * Waits for what an action of a VM's row brings. A row that is drawn anew in the moment of the click is no longer named by VS Code; the
   * command then asks for the VM, and is told.
   */
  async broughtBy(vm: string, next: Locator, timeoutMs = 120_000): Promise<void> {
    const asked = this.page.locator('.quick-input-list [role="checkbox"]:visible');
    await next.or(asked).first().waitFor({ timeout: timeoutMs });
    if ((await asked.count()) > 0) {
      await asked.filter({ hasText: vm }).first().click();
      await this.page.keyboard.press('Enter');
    }
    await next.first().waitFor({ timeout: timeoutMs });
  }

  /** The rows of a plan that is shown before it runs. */
  planRows(): Locator {
    return this.page.locator('.quick-input-list [role="option"]:visible');
  }

  /** Selects rows together: the first by a click, each further one with Ctrl. */
  async selectRows(...rows: readonly (string | RegExp)[]): Promise<void> {
    const selected = async (row: string | RegExp) => (await this.treeItem(row).first().getAttribute('aria-selected')) === 'true';
    for (const [index, row] of rows.entries()) {
      // A row that is drawn anew under the mouse loses the click.
      await this.#until(
        async () => {
          if (!(await selected(row)))
            await this.treeItem(row)
              .first()
              .click(index === 0 ? {} : { modifiers: ['Control'] });
          return (await Promise.all(rows.slice(0, index + 1).map(selected))).every(Boolean);
        },
        `${String(row)} to be selected`,
      );
    }
  }

  /** Goes to a row of the tree by keyboard alone: into the view by its command, then down from its first row. */
  async focusRow(name: RegExp): Promise<void> {
    await this.command('Mesh Expansion: Focus on Mesh Expansion View');
    await this.page.locator('.sidebar .monaco-list:focus').waitFor();
    await this.page.keyboard.press('Home');
    const rows = await this.page.locator('.sidebar [role="treeitem"]').count();
    for (let left = rows + 1; left > 0; left--) {
      const focused = this.page.locator('.sidebar .monaco-list-row.focused');
      if (name.test((await focused.getAttribute('aria-label')) ?? '')) return;
      await this.page.keyboard.press('ArrowDown');
    }
    throw new Error(`No row ${String(name)} comes with the arrow key.`);
  }

  /** Opens the context menu of the focused row by keyboard and chooses an entry with the arrows. */
  async keyMenu(title: string): Promise<void> {
    await this.page.keyboard.press('Shift+F10');
    const menu = this.page.locator('.context-view .monaco-menu');
    await menu.waitFor();
    for (let left = 40; left > 0; left--) {
      await this.page.keyboard.press('ArrowDown');
      if ((await menu.locator('.action-item.focused').innerText()).trim() === title) {
        await this.page.keyboard.press('Enter');
        await menu.waitFor({ state: 'hidden' });
        return;
      }
    }
    throw new Error(`The menu has no entry ${title}.`);
  }

  /** Texts of the open quick pick's rows. */
  async pickRows(timeoutMs = 60_000): Promise<string[]> {
    // A row to tick is no `option`; rows of the list before are hidden, not gone.
    const rows = this.page.locator('.quick-input-list .monaco-list-row:visible');
    await rows.first().waitFor({ timeout: timeoutMs });
    return (await rows.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').trim());
  }

  clipboard(): Promise<string> {
    return this.page.evaluate('navigator.clipboard.readText()');
  }

  /** The visible webview's document. */
  webview(): FrameLocator {
    return this.page.frameLocator('iframe.webview:visible').frameLocator('#active-frame');
  }

  /** Text of the active editor's rendered lines, from top to bottom. */
  async editorText(): Promise<string> {
    const lines = this.page.locator('.editor-group-container.active .monaco-editor .view-line');
    await lines.first().waitFor();
    const rows = await lines.evaluateAll((elements) =>
      (elements as unknown as readonly PageElement[]).map((element) => ({
        top: Number(/top:\s*([\d.]+)/.exec(element.getAttribute('style') ?? '')?.[1] ?? 0),
        text: element.textContent ?? '',
      })),
    );
    return rows
      .sort((left, right) => left.top - right.top)
      .map((row) => row.text.replaceAll('\u00a0', ' '))
      .join('\n');
  }

  /** Waits until the active editor shows the text. */
  async waitForEditor(text: string): Promise<void> {
    await this.#until(async () => (await this.editorText()).includes(text), `the editor to show ${JSON.stringify(text)}`);
  }

  async terminalText(): Promise<string> {
    const rows = this.page.locator('.terminal-wrapper.active .xterm-rows');
    await rows.waitFor();
    return (await rows.innerText()).replaceAll('\u00a0', ' ');
  }

  async waitForTerminal(text: string | RegExp, timeoutMs = 60_000): Promise<void> {
    const has = (shown: string): boolean => (typeof text === 'string' ? shown.includes(text) : text.test(shown));
    await this.#until(async () => has(await this.terminalText()), `the terminal to show ${String(text)}`, timeoutMs);
  }

  /** Texts of the notifications on the screen. */
  async notifications(): Promise<string[]> {
    return this.page.locator('.notifications-toasts .notification-list-item-message').allInnerTexts();
  }

  async waitForNotification(text: string | RegExp, timeoutMs = 60_000): Promise<Locator> {
    const toast = this.page.locator('.notification-list-item').filter({ hasText: text }).first();
    await toast.waitFor({ timeout: timeoutMs });
    return toast;
  }

  /** Presses a button of a notification. */
  async notificationButton(text: string | RegExp, button: string): Promise<void> {
    const toast = await this.waitForNotification(text);
    await toast.hover();
    await toast.getByRole('button', { name: button }).click();
  }

  /** Closes every notification, as `Notifications: Clear All Notifications` does. */
  async clearNotifications(): Promise<void> {
    await this.command('Notifications: Clear All Notifications');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** Moves the mouse over a text of the active editor and waits for the hover. */
  async hoverText(text: string): Promise<void> {
    const line = this.page.locator('.editor-group-container.active .monaco-editor .view-line').filter({ hasText: text }).first();
    // A document that was just opened is drawn several times: lenses move its lines, and a line that is drawn anew has no place for a moment.
    const end = line.locator('span').last();
    await this.#hover(text, end, ({ width }) => width - 10);
  }

  /** Moves the mouse over an item of the tree and waits for its tooltip, which the actions at the right end of the row do not have. */
  async hoverItem(label: RegExp): Promise<void> {
    await this.#hover(String(label), this.treeItem(label), ({ width }) => width / 3);
  }

  async #hover(what: string, target: Locator, across: (box: { readonly width: number }) => number): Promise<void> {
    await this.#until(
      async () => {
        const box = await target.boundingBox({ timeout: 2000 });
        if (!box) return false;
        await this.page.mouse.move(box.x + box.width / 2, 0);
        await this.page.mouse.move(box.x + across(box), box.y + box.height / 2, { steps: 4 });
        await this.page.locator('.monaco-hover:visible').first().waitFor({ timeout: 4000 });
        return true;
      },
      `the hover of ${JSON.stringify(what)}`,
    );
  }

  /** Types a new last line into the active editor. */
  async appendLine(line: string): Promise<void> {
    await this.page.locator('.editor-group-container.active .monaco-editor .view-line').first().click();
    await this.page.keyboard.press('Control+End');
    await this.page.keyboard.type(`${line}\n`, { delay: 5 });
  }

  /** Presses a button of the modal dialog. */
  async dialogButton(button: string): Promise<void> {
    await this.page.locator('.monaco-dialog-box').getByRole('button', { name: button }).click();
  }

  /** Types into the quick input that is open and confirms; in a list, the first row that matches is chosen. */
  async answer(text: string): Promise<void> {
    const input = this.page.locator(`${QUICK_INPUT} input.input`);
    await input.waitFor();
    await input.fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Chooses a row of the open quick pick by a part of its text. */
  async pick(text: string | RegExp): Promise<void> {
    await this.page.locator('.quick-input-list [role="option"]').filter({ hasText: text }).first().click();
  }

  /** The end of what the extension wrote into its output channel. */
  extensionLog(characters = 4000): string {
    const logs = path.join(this.server.user, 'logs');
    const files = readdirSync(logs, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.includes('mesh-expansion.mesh-expansion') && name.endsWith('.log'),
    );
    return files.map((name) => readFileSync(path.join(logs, name), 'utf8').slice(-characters)).join('\n');
  }

  async screenshot(file: string): Promise<void> {
    await this.page.screenshot({ path: file, animations: 'disabled' });
  }

  /** Reloads the window, as `Developer: Reload Window` does. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.page.locator('.monaco-workbench .activitybar').waitFor();
  }

  async close(): Promise<void> {
    await this.#browser.close().catch(() => undefined);
    await this.server.stop();
  }

  async #until(condition: () => Promise<boolean>, what: string, timeoutMs = LIMIT_MS): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (Date.now() < end) {
      if (await condition().catch(() => false)) return;
      await this.page.waitForTimeout(200);
    }
    throw new Error(`Waited ${timeoutMs / 1000} s in vain for ${what}.`);
  }
}

/** Starts code-server and a browser, and waits for the workbench. Throws with the server's log where it does not come up. */
export async function startWorkbench(options: WorkbenchOptions = {}): Promise<Workbench> {
  const executablePath = await ensureChromium();
  const server = await startCodeServer(options);
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
    const context = await browser.newContext({
      viewport: options.viewport ?? { width: 1400, height: 900 },
      permissions: ['clipboard-read', 'clipboard-write'],
      reducedMotion: 'reduce',
      // Over loopback, compressing takes longer than sending.
      extraHTTPHeaders: { 'accept-encoding': 'identity' },
    });
    await context.addInitScript(STAND_STILL);
    const page = await context.newPage();
    page.setDefaultTimeout(LIMIT_MS);
    await page.goto(server.url, { timeout: 60_000 });
    await page.locator('.monaco-workbench .activitybar').waitFor({ timeout: 60_000 });
    return new Workbench(server, browser, page);
  } catch (error) {
    await browser?.close();
    await server.stop();
    throw error;
  }
}
