/** docs/errors.md has every code of the sources, and none besides. */

import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);

/** Codes of others that we read, and names of the environment. */
const foreign = new Set([
  'ERR_HTTP_REQUEST_TIMEOUT',
  'HPE_HEADER_OVERFLOW',
  'LEVEL_LOCKED',
  'LEVEL_CORRUPTION',
  'POSTE_RESTANTE_CREDENTIALS',
  'POSTE_RESTANTE_PASSWORD',
  'POSTE_RESTANTE_TOKEN',
  'POSTE_RESTANTE_URL',
]);

test('docs/errors.md has every code of the sources, and none besides', () => {
  const page = readFileSync(new URL('docs/errors.md', root), 'utf8');
  const written = [...page.matchAll(/^\| `([A-Z0-9_]+)` +\|/gm)].map((match) => match[1]!);
  expect(new Set(written).size).toBe(written.length);
  expect(written.sort()).toEqual([...codesOfSources()].sort());
});

test('every row says what the code means and what is answered', () => {
  const page = readFileSync(new URL('docs/errors.md', root), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  for (const row of rows) expect(row).toMatch(/^\| `[A-Z0-9_]+` +\| [A-Z`].+\. +\| \S.* +\|$/);
});

function codesOfSources(): Set<string> {
  const codes = new Set<string>();
  const names = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' });
  for (const name of names.filter((file) => file.endsWith('.ts'))) {
    const text = readFileSync(new URL(`src/${name}`, root), 'utf8');
    for (const [, code] of text.matchAll(/'([A-Z]+(?:_[A-Z0-9]+)+)'/g)) codes.add(code!);
    for (const [, code] of text.matchAll(/Error\(`?'?(MACHINE_[A-Z_]+)/g)) codes.add(code!);
    // The code of a dropped connection begins with its transport.
    if (!name.endsWith('sip/connection.ts')) continue;
    for (const [, bound] of text.matchAll(/(?:drop|#code)\('([A-Z]+)'\)/g)) {
      codes.add(`SIP_TCP_${bound!}`);
    }
  }
  for (const code of foreign) codes.delete(code);
  return codes;
}
