// A notebook in a JupyterLab page: what a learner sees and clicks.

import * as fs from 'node:fs';
import * as path from 'node:path';

import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export class NotebookPage {
  static async open(address) {
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      headless: true,
      args: FLAGS,
    });
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const notebook = new NotebookPage(browser, page, new URL(address).host);
    await page.goto(address);
    return notebook;
  }

  constructor(browser, page, host) {
    this.browser = browser;
    this.page = page;
    this.pageErrors = [];
    this.strangers = new Set();
    page.on('pageerror', (error) => this.pageErrors.push(error.message));
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol) && url.host !== host) {
        this.strangers.add(url.host);
      }
    });
  }

  /** Waits until the kernel `name` is there and idle; fails if JupyterLab asks for another one. */
  async ready(name, seconds) {
    const { page } = this;
    const state = () =>
      page.evaluate(() => ({
        kernel: document.querySelector('.jp-KernelName')?.innerText.trim() ?? 'no notebook yet',
        status: document.querySelector('.jp-Notebook-ExecutionIndicator')?.getAttribute('data-status'),
        dialog: document.querySelector('.jp-Dialog')?.innerText,
      }));
    const deadline = Date.now() + seconds * 1000;
    let seen = {};
    while (Date.now() < deadline) {
      seen = await state();
      if (seen.dialog) break;
      if (seen.kernel === name && seen.status === 'idle') return;
      await page.waitForTimeout(100);
    }
    throw new Error(`the kernel \`${name}\` is not ready: ${JSON.stringify(seen)}`);
  }

  /** Run → Run All Cells. */
  async runAll() {
    const { page } = this;
    await page.locator('.lm-MenuBar-itemLabel', { hasText: /^Run$/ }).click();
    await page.locator('.lm-Menu-item[data-command="runmenu:run-all"]').click();
  }

  /** What stands in the page now. */
  async look() {
    return await this.page.evaluate(() => {
      const texts = (selector) => [...document.querySelectorAll(selector)].map((it) => it.innerText);
      const cells = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')];
      const pictures = cells.flatMap((cell, number) =>
        [...cell.querySelectorAll('.jp-OutputArea img')].map((image, nth) => ({
          key: `cell ${number + 1}, picture ${nth + 1}`,
          source: image.src,
        })),
      );
      const indicator = document.querySelector('.jp-Notebook-ExecutionIndicator');
      return {
        status: indicator?.getAttribute('data-status') ?? 'none',
        waiting: cells.filter((cell) => cell.querySelector('.jp-InputPrompt')?.innerText.includes('*'))
          .length,
        ran: cells.filter((cell) => /\d/.test(cell.querySelector('.jp-InputPrompt')?.innerText ?? ''))
          .length,
        cells: cells.length,
        red: texts('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]'),
        pictures,
      };
    });
  }

  /** Ctrl+S; returns once `file`, the notebook on disk, is a newer one. */
  async save(file) {
    const before = fs.statSync(file).mtimeMs;
    await this.page.locator('.jp-Notebook').first().press('Control+s');
    const deadline = Date.now() + 20_000;
    while (fs.statSync(file).mtimeMs === before) {
      if (Date.now() > deadline) throw new Error(`${file} was not saved`);
      await this.page.waitForTimeout(100);
    }
  }

  /** Brings a picture into view and saves the page. */
  async shoot(file, key) {
    if (key) {
      const [cell, picture] = key.match(/\d+/g).map(Number);
      const image = this.page
        .locator('.jp-Notebook .jp-CodeCell')
        .nth(cell - 1)
        .locator('.jp-OutputArea img')
        .nth(picture - 1);
      await image.scrollIntoViewIfNeeded({ timeout: 2000 }).catch(() => {});
    }
    await this.page.screenshot({ path: file });
  }

  /** Saves the notebook from top to bottom: `end-1.png`, `end-2.png` and so on below `folder`. */
  async shootAll(folder) {
    const { page } = this;
    await page.setViewportSize({ width: 1280, height: 1500 });
    const scrolled = (to) =>
      page.evaluate((to) => {
        const panel = document.querySelector('.jp-NotebookPanel-notebook .jp-WindowedPanel-outer');
        const last = [...panel.querySelectorAll('.jp-Cell')].at(-1);
        panel.scrollTop = to;
        // Less than a screen further, so that what one picture cuts is whole in the next.
        const next = panel.scrollTop + panel.clientHeight - 120;
        const below = last.getBoundingClientRect().bottom > panel.getBoundingClientRect().bottom;
        return below && panel.scrollTop >= to ? next : null;
      }, to);
    let place = 0;
    for (let number = 1; place !== null; number += 1) {
      place = await scrolled(place);
      await page.waitForTimeout(200);
      await page.screenshot({ path: path.join(folder, `end-${number}.png`) });
    }
  }

  async close() {
    await this.browser.close();
  }
}
