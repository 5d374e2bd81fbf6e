/** `docs/machines` is what the machines are; every form of a machine says the same. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  exportMachine,
  fromScxml,
  machineNamed,
  machineNames,
  toDot,
  toIndex,
  toPage,
  toScxml,
} from '../../src/verify/index.js';

const folder = new URL('../../docs/machines/', import.meta.url);
const machines = machineNames.map(machineNamed);
const pages = new Map([
  ['README.md', toIndex(machines)],
  ...machines.map((machine) => [`${machine.name}.md`, toPage(machine)] as const),
]);

if (process.env['MACHINES'] === 'write') {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of pages) writeFileSync(new URL(name, folder), text);
}

test('docs/machines has a current page for each machine, and nothing else (npm run machines)', () => {
  expect(readdirSync(folder).sort()).toEqual([...pages.keys()].sort());
  for (const [name, text] of pages) {
    expect(readFileSync(new URL(name, folder), 'utf8'), name).toBe(text);
  }
});

describe.each(machines)('$name', (machine) => {
  test('comes back from SCXML as it was', () => {
    expect(fromScxml(toScxml(machine))).toEqual(machine);
  });

  test('comes back from JSON as it was', () => {
    expect(JSON.parse(exportMachine(machine, 'json'))).toEqual(machine);
  });

  test('every target is a state', () => {
    const text = toScxml(machine);
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of text.matchAll(/(?:target|initial)="([^"]+)"/g)) {
      expect(ids).toContain(target);
    }
  });
});

const hasDot = spawnSync('dot', ['-V']).status === 0;

test.skipIf(!hasDot)('Graphviz draws every machine (skipped where there is no `dot`)', () => {
  for (const machine of machines) {
    const { status, stderr, stdout } = spawnSync('dot', ['-Tsvg'], {
      input: toDot(machine),
      encoding: 'utf8',
    });
    expect(`${machine.name} ${String(status)} ${stderr}`).toBe(`${machine.name} 0 `);
    for (const { path } of machine.states.filter(({ type }) => type !== 'compound')) {
      expect(stdout).toContain(`<title>${path}</title>`);
    }
  }
});
