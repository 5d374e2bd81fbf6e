/** SCXML as somebody else reads it: the compiler of Qt, which knows the schema and every target. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { machineNamed, machineNames, toScxml } from '../../src/verify/index.js';

const compiler = '/usr/lib/qt6/libexec/qscxmlc';
const isThere = existsSync(compiler);
const directory = mkdtempSync(join(tmpdir(), 'poste-scxml-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function compiled(scxml: string): { said: string; program: string } {
  const file = join(directory, 'machine.scxml');
  const output = join(directory, 'machine');
  writeFileSync(file, scxml);
  rmSync(`${output}.cpp`, { force: true });
  const { stderr } = spawnSync(compiler, ['--output', output, file], { encoding: 'utf8' });
  const program = existsSync(`${output}.cpp`) ? readFileSync(`${output}.cpp`, 'utf8') : '';
  return { said: stderr.replaceAll(file, 'machine'), program };
}

/** What the tables of the compiled program name, which are its strings. */
const named = (program: string): Set<string> =>
  new Set([...program.matchAll(/\/\/ \d+: (.*)/g)].map(([, name]) => name!));

test.skipIf(!isThere).each(machineNames)(
  'the SCXML compiler of Qt takes %s, with its states and guards (skipped without qscxmlc)',
  (name) => {
    const machine = machineNamed(name);
    const scxml = toScxml(machine);
    const { said, program } = compiled(scxml);
    expect(said).toBe('');
    const names = named(program);
    for (const { path } of machine.states) if (path !== '') expect(names).toContain(path);
    for (const [, guard] of scxml.matchAll(/ cond="([^"]+)"/g)) {
      const plain = guard!.replaceAll('&apos;', "'").replaceAll('&amp;', '&');
      expect(
        [...names].some((one) => one.includes(`cond=\\"${plain}\\"`)),
        plain,
      ).toBe(true);
    }
  },
);

test.skipIf(!isThere)('it refuses what is broken (skipped without qscxmlc)', () => {
  const scxml = toScxml(machineNamed('push'));
  const lost = compiled(scxml.replace('target="closing"', 'target="nowhere"'));
  expect(lost.said).toContain("unknown state 'nowhere' in target");
  expect(lost.program).toBe('');
  expect(compiled(scxml.replaceAll('script>', 'skript>')).said).toContain('Unknown element skript');
});
