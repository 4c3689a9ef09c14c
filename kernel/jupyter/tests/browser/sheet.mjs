// A scratch notebook that is typed into, cell after cell.

const PATIENCE_MS = 60_000;

export class Sheet {
  constructor(page) {
    this.page = page;
  }

  get #last() {
    return this.page.locator('.jp-Notebook .jp-CodeCell').last();
  }

  /** The cell that was run last: the one above the empty last one. */
  get ran() {
    return this.page.locator('.jp-Notebook .jp-CodeCell').nth(-2);
  }

  /** Puts text into the last cell, in place of what is there. */
  async write(code) {
    await this.#last.locator('.cm-content').click();
    await this.page.keyboard.press('Control+a');
    await this.page.keyboard.press('Delete');
    const [first, ...more] = code.split('\n');
    await this.page.keyboard.insertText(first);
    // One event a line: the editor would indent what a real Enter opens.
    for (const line of more) await this.page.keyboard.insertText(`\n${line}`);
  }

  async press(keys) {
    await this.page.keyboard.press(keys);
  }

  /** Writes a cell and runs it, without waiting for its end. */
  async start(code) {
    await this.write(code);
    await this.page.keyboard.press('Shift+Enter');
    await this.ran.waitFor();
  }

  /** Writes a cell, runs it and waits for its end. */
  async run(code) {
    await this.start(code);
    await this.idle();
  }

  /** Waits until no cell runs or waits. */
  async idle() {
    await this.page.waitForFunction(
      () => {
        const prompts = [...document.querySelectorAll('.jp-Notebook .jp-InputPrompt')].map((it) => it.innerText);
        const indicator = document.querySelector('.jp-Notebook-ExecutionIndicator');
        return !prompts.some((it) => it.includes('*')) && indicator?.getAttribute('data-status') === 'idle';
      },
      null,
      { timeout: PATIENCE_MS, polling: 100 },
    );
  }

  /** Waits until an element is in the page. */
  async see(selector) {
    await this.page.locator(selector).first().waitFor({ timeout: 10_000 });
  }

  /** Waits until the running cell has put out something. */
  async output() {
    await this.ran.locator('.jp-OutputArea-output').first().waitFor({ timeout: PATIENCE_MS });
  }

  /** Kernel → Interrupt Kernel. */
  async interrupt() {
    await this.menu('Kernel', 'kernelmenu:interrupt');
  }

  async menu(name, command) {
    await this.page.locator('.lm-MenuBar-itemLabel', { hasText: new RegExp(`^${name}$`) }).click();
    await this.page.locator(`.lm-Menu-item[data-command="${command}"]`).click();
  }

  async theme(name) {
    await this.page.locator('.lm-MenuBar-itemLabel', { hasText: /^Settings$/ }).click();
    await this.page.locator('.lm-Menu-item', { hasText: /^Theme$/ }).hover();
    await this.page.locator('.lm-Menu-item', { hasText: new RegExp(`^${name}$`) }).click();
    await this.page.locator(`body[data-jp-theme-name="${name}"]`).waitFor({ state: 'attached' });
  }

  /** Saves the page, with the last cells in view. */
  async shoot(file) {
    await this.#last.scrollIntoViewIfNeeded().catch(() => {});
    await this.page.waitForTimeout(300);
    await this.page.screenshot({ path: file });
  }
}
