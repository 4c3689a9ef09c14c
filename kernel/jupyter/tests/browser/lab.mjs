// `headwater lab` as a process of this test: started, asked for its address, and ended for sure.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

const START_SECONDS = 1800; // a first start builds the prelude and installs JupyterLab
const STOP_SECONDS = 30;

export class Lab {
  /** Starts `binary lab` on a copy of `notebook`, so that a run leaves the original alone. */
  constructor({ binary, notebook, datasets }) {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headwater-browser-'));
    this.notebook = path.join(this.folder, 'notebooks', path.basename(notebook));
    fs.mkdirSync(path.dirname(this.notebook));
    fs.copyFileSync(notebook, this.notebook);
    // Every process below inherits the mark, by which the test finds what was left behind.
    this.mark = `HEADWATER_BROWSER_TEST=${randomUUID()}`;
    const [name, value] = this.mark.split('=');
    this.said = '';
    this.child = spawn(binary, ['lab', this.notebook, '--no-browser', '--port', '0'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        [name]: value,
        HEADWATER_DATASETS: process.env.HEADWATER_DATASETS ?? datasets,
        TMPDIR: this.#temporary(),
        JUPYTER_CONFIG_DIR: path.join(this.folder, 'config'),
        JUPYTERLAB_SETTINGS_DIR: this.#settings(),
      },
    });
    this.child.on('error', (error) => (this.said += `\n${binary}: ${error.message}\n`));
    this.ended = new Promise((resolve) => this.child.on('close', resolve));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (data) => {
        this.said += data;
        process.stderr.write(data);
      });
    }
  }

  /** Inside of the test's folder, so that nothing stays even where processes had to be killed. */
  #temporary() {
    const folder = path.join(this.folder, 'tmp');
    fs.mkdirSync(folder);
    return folder;
  }

  /** All cells stay in the page, also those far below: the test looks at every output. */
  #settings() {
    const folder = path.join(this.folder, 'settings');
    const file = path.join(folder, '@jupyterlab/notebook-extension/tracker.jupyterlab-settings');
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, JSON.stringify({ windowingMode: 'none' }));
    return folder;
  }

  /** Waits for the line `open http://...`. */
  async address() {
    const deadline = Date.now() + START_SECONDS * 1000;
    while (Date.now() < deadline) {
      const found = this.said.match(/^open (http:\S+)$/m);
      if (found) return found[1];
      if (this.child.exitCode !== null || this.child.pid === undefined) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`headwater lab gave no address; it said:\n${this.said}`);
  }

  /** Ends everything; returns the command lines of processes that the end of `lab` left behind. */
  async stop() {
    const gone = this.child.pid === undefined || this.child.exitCode !== null;
    if (!gone) {
      this.child.kill('SIGINT');
      const late = new Promise((resolve) => setTimeout(resolve, STOP_SECONDS * 1000, 'late').unref());
      if ((await Promise.race([this.ended, late])) === 'late') this.child.kill('SIGKILL');
    }
    const left = processesWith(this.mark);
    for (const { pid } of left) killQuietly(pid);
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    return left.map(({ pid, line }) => `${pid} ${line}`);
  }

  /** The same at once, for an exit handler, which cannot wait. */
  stopNow() {
    for (const { pid } of processesWith(this.mark)) killQuietly(pid);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

function processesWith(mark) {
  if (!fs.existsSync('/proc/self/environ')) return [];
  const found = [];
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const environment = fs.readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
      if (!environment.includes(mark)) continue;
      const line = fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      found.push({ pid: Number(pid), line });
    } catch {
      // It ended meanwhile, or belongs to somebody else.
    }
  }
  return found;
}

function killQuietly(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}
