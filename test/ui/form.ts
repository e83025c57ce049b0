import type { FrameLocator, Locator } from 'playwright-core';
import type { Workbench } from './workbench.ts';

/** A form of the extension in the visible webview, filled in as a person does. Fields are named by their ids. */
export class Form {
  readonly #workbench: Workbench;
  readonly #frame: FrameLocator;

  constructor(workbench: Workbench) {
    this.#workbench = workbench;
    this.#frame = workbench.webview();
  }

  async open(heading: string): Promise<void> {
    await this.#frame.locator('h1', { hasText: heading }).waitFor();
  }

  async type(field: string, text: string): Promise<void> {
    const input = this.#frame.locator(`#${field}`);
    // Not Ctrl+A: VS Code answers it a moment later, and what was typed meanwhile is overwritten.
    await input.click({ clickCount: 3 });
    await this.#workbench.page.keyboard.type(text, { delay: 5 });
  }

  async choose(field: string, value: string): Promise<void> {
    await this.#frame.locator(`#${field}`).selectOption(value);
  }

  async check(field: string, value: string): Promise<void> {
    await this.#frame.locator(`fieldset:has([id^="${field}-"]) input[type="checkbox"][value="${value}"]`).check();
  }

  field(id: string): Locator {
    return this.#frame.locator(`#${id}`);
  }

  /** Waits until the right column shows the steps for what was typed. */
  async ready(timeoutMs = 60_000): Promise<void> {
    await this.#frame.locator('.steps.ready li.needed, .steps.ready li.done').first().waitFor({ timeout: timeoutMs });
    await this.#frame.locator('#submit:not([aria-disabled="true"])').waitFor({ timeout: timeoutMs });
  }

  async preview(): Promise<string> {
    return this.#frame.locator('aside.preview').innerText();
  }

  async problem(field: string): Promise<string> {
    return this.#frame.locator(`#${field}-problem`).innerText();
  }

  /** What a screen reader says about a field beside its name and value. */
  async description(field: string): Promise<string> {
    const ids = (await this.field(field).getAttribute('aria-describedby')) ?? '';
    const texts = ids.split(' ').filter((id) => id !== '');
    return (await Promise.all(texts.map((id) => this.field(id).innerText()))).join(' ');
  }

  /** What was said at once. */
  async alert(): Promise<string> {
    return this.#frame.getByRole('alert').innerText();
  }

  /** Waits until the element with this id has the keyboard. */
  async focused(id: string): Promise<void> {
    await this.#frame.locator(`#${id}:focus`).waitFor({ timeout: 5000 });
  }

  /** Waits until the right column has read what was typed last: the steps, or why there are none. */
  async settled(timeoutMs = 60_000): Promise<void> {
    await this.#frame.locator('aside[aria-busy="false"]').locator('.error, .steps.ready li').first().waitFor({ timeout: timeoutMs });
  }

  /** Waits until the right column reads again. */
  async reading(): Promise<void> {
    await this.#frame.locator('aside[aria-busy="true"]').waitFor();
  }

  /** Waits until the form is closed, as it is at the end of what it started; the tree has the keyboard then. */
  async closed(timeoutMs = 120_000): Promise<void> {
    await this.field('submit').waitFor({ state: 'detached', timeout: timeoutMs });
  }

  async press(button: string): Promise<void> {
    await this.#frame.getByRole('button', { name: button }).first().click();
  }

  async submit(): Promise<void> {
    await this.#frame.locator('#submit').click();
  }

  /** Presses the button, and waits for the end of what it starts. */
  async run(): Promise<void> {
    await this.submit();
    await this.closed();
  }
}
