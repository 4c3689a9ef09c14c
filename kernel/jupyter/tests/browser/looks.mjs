// Pictures of what a new user sees in JupyterLab: completion, tooltip, errors, tables, messages.
//
//   node looks.mjs [--out FOLDER] [--only NAME,...]
//
// A person looks at them: the program fails only where something does not appear at all.
// HEADWATER_BIN names the binary, by default debug/headwater in the target folder.

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { Lab } from './lab.mjs';
import { NotebookPage } from './page.mjs';
import { Sheet } from './sheet.mjs';
import { scenes } from './scenes.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../..');
const { values: options } = parseArgs({ options: { out: { type: 'string' }, only: { type: 'string' } } });
const out = options.out ?? fs.mkdtempSync(path.join(os.tmpdir(), 'headwater-looks-'));
fs.mkdirSync(out, { recursive: true });

function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? path.join(root, 'target');
  return process.env.HEADWATER_BIN ?? path.join(target, 'debug/headwater');
}

/** An empty notebook of our kernel. */
function scratch() {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'headwater-scratch-')), 'scratch.ipynb');
  const kernelspec = { name: 'headwater', display_name: 'Rust (Headwater)', language: 'rust' };
  const cell = { cell_type: 'code', id: 'first', source: '', metadata: {}, outputs: [], execution_count: null };
  const notebook = { cells: [cell], metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 };
  fs.writeFileSync(file, JSON.stringify(notebook));
  return file;
}

async function take(sheet, failed) {
  const wanted = options.only?.split(',');
  for (const [number, scene] of scenes.entries()) {
    if (wanted && !scene.always && !wanted.includes(scene.name)) continue;
    const name = `${String(number + 1).padStart(2, '0')}-${scene.name}`;
    const started = Date.now();
    let problem = '';
    try {
      await scene.play(sheet);
    } catch (error) {
      problem = `: ${error.message.split('\n')[0]}`;
      failed.push(scene.name);
    }
    await sheet.shoot(path.join(out, `${name}.png`));
    await scene.after?.(sheet).catch((error) => failed.push(`after ${scene.name}: ${error.message}`));
    console.log(`${name} (${((Date.now() - started) / 1000).toFixed(1)} s)${problem}`);
  }
}

const file = scratch();
const lab = new Lab({ binary: binary(), notebook: file, datasets: path.join(root, 'datasets') });
const quit = () => {
  lab.stopNow();
  process.exit(130);
};
process.on('SIGINT', quit).on('SIGTERM', quit);
const failed = [];
let notebook;
try {
  notebook = await NotebookPage.open(await lab.address());
  await notebook.ready('Rust (Headwater)', 90);
  await take(new Sheet(notebook.page), failed);
} catch (error) {
  failed.push(error.message);
} finally {
  await notebook?.close().catch(() => {});
  await lab.stop();
  fs.rmSync(path.dirname(file), { recursive: true, force: true });
}
console.log(`screenshots: ${out}`);
if (failed.length) {
  console.error(`FAILED: ${failed.join(', ')}`);
  process.exit(1);
}
