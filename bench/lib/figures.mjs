/** Figures of a run: told as a table, kept as a line of NDJSON each. */

import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, rounded } from './statistics.mjs';

export const history = fileURLToPath(new URL('../history/figures.ndjson', import.meta.url));

/**
 * One figure of one server: `values` of its repetitions, and `loss`, how many requests or messages
 * did not get what they should have.
 */
export function figureOf(run, suite, { values, ...figure }) {
  const finite = values.filter(Number.isFinite);
  return {
    ...{ run, suite },
    ...figure,
    median: rounded(median(finite)),
    least: rounded(Math.min(...finite)),
    most: rounded(Math.max(...finite)),
    repetitions: finite.length,
  };
}

export function keep(line) {
  mkdirSync(dirname(history), { recursive: true });
  appendFileSync(history, `${JSON.stringify(line)}\n`);
}

/** What was kept, oldest first. */
export function kept() {
  return readFileSync(history, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const columns = ['suite', 'measured', 'who', 'median', 'least to most', 'loss'];

function rowOf({ suite, name, unit, who, median: middle, least, most, loss }) {
  return [suite, `${name}: ${unit}`, who, text(middle), `${text(least)} to ${text(most)}`, loss];
}

export function text(value) {
  return value === null || Number.isNaN(value) ? '-' : value.toLocaleString('en-GB');
}

/** Rows with aligned columns. */
export function tableOf(figures) {
  const rows = [columns, ...figures.map(rowOf)].map((row) => row.map(String));
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  );
}
