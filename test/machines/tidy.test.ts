/** What machines may not do: checked on their configuration and on their source. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { alphabets } from './alphabet.js';

const folder = new URL('../../src/machines/', import.meta.url);
const sources = readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));

test.each(alphabets)(
  '$name declares guards and actions by name and nothing that runs',
  (alphabet) => {
    const found: string[] = [];
    visit(alphabet.definition.machine.config as unknown, '', found);
    expect(found).toEqual([]);
  },
);

test.each(alphabets)(
  '$name: every action and guard of the configuration is in setup',
  (alphabet) => {
    const { config, implementations } = alphabet.definition.machine;
    const names = { actions: new Set<string>(), guards: new Set<string>() };
    collect(config as unknown, names);
    expect([...names.actions].filter((name) => !(name in implementations.actions))).toEqual([]);
    expect([...names.guards].filter((name) => !(name in implementations.guards))).toEqual([]);
  },
);

describe('source', () => {
  test('is there', () => {
    expect(sources.length).toBeGreaterThan(10);
  });

  test.each(sources)('$name reads no clock, draws no number, opens nothing', ({ text }) => {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    const banned =
      /\b(Date\b|Math\.random|setTimeout|setInterval|process\.|console\.|fetch\(|Buffer\b|node:)/;
    expect(banned.exec(code)?.[0]).toBeUndefined();
    const imports = [...code.matchAll(/from '([^']+)'/g)].map((match) => match[1]!);
    for (const path of imports) expect(path).toMatch(/^(xstate|\.\/[a-z-]+\.js)$/);
  });

  test.each(sources)('$name uses only what survives a restart', ({ text }) => {
    const banned = /\b(invoke|after|spawn\w*|sendTo|enqueueActions|emit|raise|fromPromise)\(/;
    expect(banned.exec(text)?.[0]).toBeUndefined();
  });

  test('only step.ts runs XState', () => {
    const running = sources.filter(({ text }) => /\.transition\(|getInitialSnapshot/.test(text));
    expect(running.map(({ name }) => name)).toEqual(['step.ts']);
  });
});

const forbidden = ['invoke', 'after', 'history', 'delay'];

/** Functions stand only as `params` of a declared effect. */
function visit(value: unknown, place: string, found: string[]): void {
  if (typeof value === 'function') {
    if (!place.endsWith('.params')) found.push(`function at ${place}`);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    // The initial context is data; one of its fields may have any name.
    if (place === '' && name === 'context') continue;
    if (forbidden.includes(name)) found.push(`${place}.${name}`);
    visit(inner, `${place}.${name}`, found);
  }
}

function collect(value: unknown, names: { actions: Set<string>; guards: Set<string> }): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'guard') names.guards.add(inner as string);
    else if (name === 'actions' || name === 'entry' || name === 'exit') {
      for (const action of [inner].flat() as (string | { type: string })[]) {
        names.actions.add(typeof action === 'string' ? action : action.type);
      }
    } else collect(inner, names);
  }
}
