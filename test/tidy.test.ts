import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const sources = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));

/** Code without comments and strings, so that a word in a sentence is not taken for a call. */
const codeOf = (path: string): string =>
  readFileSync(path, 'utf8')
    .replace(/\/\*[^]*?\*\//g, '')
    .replace(/(^|[^:])\/\/.*$/gm, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "''");

describe('the house is tidy', () => {
  const impure =
    /\b(Date|Math\.random|setTimeout|setInterval|setImmediate|process|console|fetch|performance)\b(?!\s*:)/;

  test.each([...sources('src/machines'), ...sources('src/wire')])('%s is pure', (path) => {
    const code = codeOf(path).replaceAll(/\bDate\.(UTC|parse)\b|new Date\([^)\n]+\)/g, '');
    expect(impure.exec(code)?.[0]).toBeUndefined();
    const imported = [...readFileSync(path, 'utf8').matchAll(/from '(node:[^']+)'/g)];
    expect(imported.map((match) => match[1])).toEqual([]);
  });

  const machineFiles = sources('src/machines');
  const lossy =
    /\b(invoke|after|history)\s*:\s*\{|\b(spawnChild|spawn|sendTo|enqueueActions|emit|log|raise)\s*\(/;

  test.each(machineFiles)('%s uses nothing that XState loses on restore', (path) => {
    expect(lossy.exec(codeOf(path))?.[0]).toBeUndefined();
  });

  test.each(sources('src'))('%s begins with one sentence that says what it is', (path) => {
    const text = readFileSync(path, 'utf8').replace(/^#!.*\n/, '');
    expect(text.startsWith('/**')).toBe(true);
  });

  test.each(sources('src'))('%s is a noun of the field', (path) => {
    expect(/\/(utils?|helpers?|common|managers?|types|misc)\.ts$/.test(path)).toBe(false);
    expect(/\/[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(path)).toBe(true);
  });

  test.each(sources('src'))('%s has no default export', (path) => {
    expect(/^export default/m.test(codeOf(path))).toBe(false);
  });

  test('XState runs in step.ts only', () => {
    const runs = machineFiles.filter(
      (path) =>
        !path.endsWith('/step.ts') && /\.(transition|microstep)\(|createActor\(/.test(codeOf(path)),
    );
    expect(runs).toEqual([]);
  });
});
