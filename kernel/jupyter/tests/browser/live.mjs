// The test of the promise: a learner opens lesson 5.1 in JupyterLab, runs it, and sees a chart
// grow while the cell runs.
//
//   node live.mjs [--notebook FILE] [--out FOLDER] [--seconds 240]
//
// HEADWATER_BIN names the binary, by default debug/headwater in the target folder.

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { Lab } from './lab.mjs';
import { NotebookPage } from './page.mjs';
import { points, svgOf } from './svg.mjs';

const POLL_MS = 100;
/** A live chart draws four frames a second: after this long without a new one it has ended. */
const STILL_MS = 3000;
/** Where all cells have run and nothing moved, this long decides that nothing will. */
const NEVER_MS = 15000;

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../..');
const { values: options } = parseArgs({
  options: {
    notebook: { type: 'string', default: firstLesson() },
    out: { type: 'string' },
    seconds: { type: 'string', default: '240' },
  },
});
const out = options.out ?? fs.mkdtempSync(path.join(os.tmpdir(), 'headwater-shots-'));
fs.mkdirSync(out, { recursive: true });

function firstLesson() {
  const folder = path.join(root, 'notebooks');
  const name = fs.readdirSync(folder).find((name) => /^05-1-.*\.ipynb$/.test(name));
  return name && path.join(folder, name);
}

function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? path.join(root, 'target');
  return process.env.HEADWATER_BIN ?? path.join(target, 'debug/headwater');
}

/** Follows every picture until all cells have run and nothing moves any more. */
async function watch(notebook, seconds) {
  const started = Date.now();
  const histories = new Map();
  let live = null;
  let lastChange = started;
  for (;;) {
    const seen = await notebook.look();
    const now = Date.now();
    for (const { key, source } of seen.pictures) {
      const svg = svgOf(source);
      const history = histories.get(key) ?? [];
      if (svg === null || history.at(-1)?.svg === svg) continue;
      history.push({ svg, points: points(svg), at: now - started });
      histories.set(key, history);
      lastChange = now;
      live = (await shootLive(notebook, live, key, history)) ?? live;
    }
    const done = seen.status === 'idle' && seen.waiting === 0 && seen.ran > 0;
    const patience = live?.second ? STILL_MS : NEVER_MS;
    if (done && now - lastChange > patience) return { seen, live, histories };
    if (now - started > seconds * 1000) {
      const state = `${seen.ran} of ${seen.cells} cells ran, kernel ${seen.status}`;
      throw new Error(`not done after ${seconds} s: ${state}`);
    }
    await notebook.page.waitForTimeout(POLL_MS);
  }
}

/** Takes the first shot when a chart has a second frame, the next when it has grown by a third. */
async function shootLive(notebook, live, key, history) {
  const last = history.at(-1);
  if (!live && history.length === 2) {
    await notebook.shoot(path.join(out, 'live-1.png'), key);
    return { key, first: last };
  }
  const grown = live?.key === key && !live.second && last.points >= live.first.points * 1.3 + 1;
  if (!grown) return null;
  await notebook.shoot(path.join(out, 'live-2.png'), key);
  return { ...live, second: last };
}

/** Returns the errors in a saved notebook. A page shows them like anything on stderr. */
function errorsIn(file) {
  const { cells } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const outputs = cells.flatMap((cell) => cell.outputs ?? []);
  return outputs
    .filter((output) => output.output_type === 'error')
    .map((output) => `${output.ename}: ${output.evalue}`);
}

function check({ seen, live, histories }, errors, notebook) {
  const frames = [...histories].map(([key, all]) => `${key}: ${all.map((it) => it.points)} points`);
  assert.ok(errors.length === 0, `a cell shows an error:\n${errors.join('\n')}`);
  assert.equal(seen.ran, seen.cells, 'a cell did not run');
  assert.ok(live, `no picture changed in place; pictures:\n${frames.join('\n')}`);
  assert.ok(live.second, `the live chart did not grow; pictures:\n${frames.join('\n')}`);
  assert.notEqual(live.first.svg, live.second.svg);
  assert.deepEqual([...notebook.strangers], [], 'the page asked another machine');
  assert.deepEqual(notebook.pageErrors, [], 'a script of the page failed');
}

async function main() {
  assert.ok(options.notebook, `no notebooks/05-1-*.ipynb in ${root}; name one with --notebook`);
  const datasets = path.join(root, 'datasets');
  const lab = new Lab({ binary: binary(), notebook: options.notebook, datasets });
  const quit = () => {
    lab.stopNow();
    process.exit(130);
  };
  process.on('SIGINT', quit).on('SIGTERM', quit);
  let notebook;
  let failure;
  try {
    notebook = await NotebookPage.open(await lab.address());
    await notebook.ready('Rust (Headwater)', 90);
    await notebook.runAll();
    const result = await watch(notebook, Number(options.seconds));
    await notebook.shootAll(out);
    await notebook.save(lab.notebook);
    check(result, errorsIn(lab.notebook), notebook);
    result.seen.red.forEach((text) => console.log(`on stderr: ${text.slice(0, 300)}`));
    const { key, first, second } = result.live;
    const frames = result.histories.get(key).length;
    console.log(`${result.seen.cells} code cells ran, no error`);
    console.log(`${key}: ${frames} frames seen, ${first.points} → ${second.points} points`);
  } catch (error) {
    failure = error;
    await notebook?.shoot(path.join(out, 'failure.png')).catch(() => {});
  } finally {
    await notebook?.close().catch(() => {});
    const left = await lab.stop();
    if (left.length) {
      console.error(`headwater lab left behind:\n${left.join('\n')}`);
      failure ??= new Error('a process was left behind');
    }
  }
  console.log(`screenshots: ${out}`);
  if (failure) {
    console.error(`FAILED: ${failure.message}`);
    process.exit(1);
  }
}

await main();
