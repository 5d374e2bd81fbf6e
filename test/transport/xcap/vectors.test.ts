/** Requests as they would be typed, and what has to come back. */

import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { startXcap } from './world.js';
import type { World } from './world.js';

interface XcapVector {
  readonly about: string;
  readonly exchanges: readonly {
    readonly request: readonly string[];
    readonly response: readonly string[];
  }[];
}

const folder = new URL('../../vectors/xcap/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
const vectors = names.map((name) => {
  const file = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as XcapVector;
  return { ...file, name: `${name}: ${file.about}` };
});

const nameInLowerCase = (field: string): string =>
  field.replace(/^[^:]+/, (name) => name.toLowerCase());

let world: World;
afterEach(() => world.end());

test.each(vectors)('$name', async ({ exchanges }) => {
  world = await startXcap();
  const connection = world.connect();
  for (const { request, response } of exchanges) {
    connection.write(request.join('\r\n'));
    const { line, headers, body } = await connection.response(request[0]!.split(' ')[0]);
    const end = response.indexOf('');
    const said = `${request[0]!} -> ${line}`;
    expect([line, said]).toEqual([response[0], said]);
    const named = response.slice(1, end).map(nameInLowerCase);
    expect(headers.map(nameInLowerCase)).toEqual(expect.arrayContaining(named));
    const expected = response.slice(end + 1).join('\r\n');
    if (expected !== '' || line.includes('4')) expect(body).toBe(expected);
  }
});

test('XCAP-02: the same in pieces of one octet', async () => {
  world = await startXcap();
  const connection = world.connect();
  const { request } = vectors.find(({ name }) => name.startsWith('get-element'))!.exchanges[0]!;
  for (const octet of request.join('\r\n')) connection.write(octet);
  expect((await connection.response()).line).toBe('HTTP/1.1 200 OK');
});
