// Runs all cells of a notebook in a page of JupyterLab or Notebook, looks at what stands there, and
// saves it. front_ends/opened.py starts the server and writes the notebook.
//
//   node notebook.mjs --address URL --file NOTEBOOK --out FOLDER [--known-error TEXT]

import assert from 'node:assert/strict';
import * as path from 'node:path';
import { parseArgs } from 'node:util';

import { NotebookPage } from './page.mjs';

const { values: options } = parseArgs({
  options: {
    address: { type: 'string' },
    file: { type: 'string' },
    out: { type: 'string' },
    'known-error': { type: 'string', default: '' },
  },
});

/** What the outputs of the whole notebook look like to a reader. */
function outputs() {
  const areas = [...document.querySelectorAll('.jp-Notebook .jp-OutputArea-output')];
  const coloured = (area) =>
    [...area.querySelectorAll('pre span')].filter((span) => /ansi-|color/.test(span.className + span.style.cssText));
  return {
    texts: areas.map((area) => area.innerText),
    rows: document.querySelectorAll('.jp-OutputArea-output table tbody tr').length,
    coloured: areas.flatMap(coloured).length,
    pictures: document.querySelectorAll('.jp-OutputArea-output :is(img, svg)').length,
  };
}

async function allRan(notebook, seconds) {
  const deadline = Date.now() + seconds * 1000;
  let seen;
  do {
    await notebook.page.waitForTimeout(100);
    seen = await notebook.look();
  } while ((seen.ran < seen.cells || seen.waiting > 0) && Date.now() < deadline);
  assert.equal(seen.ran, seen.cells, `only ${seen.ran} of ${seen.cells} cells ran`);
}

const notebook = await NotebookPage.open(options.address);
try {
  await notebook.ready('Rust (Headwater)', 90);
  await notebook.runAll();
  await allRan(notebook, 60);
  const seen = await notebook.page.evaluate(outputs);
  const text = seen.texts.join('\n');
  assert.match(text, /3 airports/, 'no text on the page');
  assert.ok(seen.rows >= 3, `a table of ${seen.rows} rows`);
  assert.match(text, /mismatched types/, 'no error on the page');
  assert.ok(seen.coloured > 0, 'the error has no colours');
  assert.ok(seen.pictures >= 1, 'no picture on the page');
  const unknown = notebook.pageErrors.filter((error) => error !== options['known-error']);
  assert.deepEqual(unknown, [], 'a script of the page failed');
  await notebook.save(options.file);
} finally {
  await notebook.shoot(path.join(options.out, 'page.png')).catch(() => {});
  await notebook.close();
}
