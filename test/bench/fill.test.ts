/** A store that the benchmark has filled is one that traffic has filled. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeKey } from '../../src/store/keys.js';
import { openLevelTable } from '../../src/store/level-table.js';
import { decodeOctets, decodeRow } from '../../src/store/rows.js';
import { startServerProcess } from '../server-process.js';
import { silent } from '../store/silent.js';

const program = fileURLToPath(new URL('../../bench/fill.mjs', import.meta.url));
const users = 3;
const messages = 10;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'poste-fill-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('bench/fill.mjs writes the rows that the same requests write over UDP', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const [filled, sent] = [join(directory, 'filled'), join(directory, 'sent')];
  const numbers = [`--users=${users}`, `--messages=${messages}`, `--port=${socket.address().port}`];
  const args = [program, `--directory=${filled}`, ...numbers];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toMatchObject({ stored: messages, refused: 0 });
  const expected = await rowsOf(filled);
  expect(expected.contents).toHaveLength(messages);

  const server = await startServerProcess({ directory: sent });
  for (const content of expected.contents) {
    socket.send(content, server.sipPort, '127.0.0.1');
    const [answer] = (await once(socket, 'message')) as [Buffer];
    expect(answer.toString('latin1', 0, 11)).toBe('SIP/2.0 202');
  }
  socket.close();
  await server.end('SIGTERM');
  expect((await rowsOf(sent)).rows).toEqual(expected.rows);
});

/** Times are different, and nothing else. */
async function rowsOf(store: string): Promise<{ rows: unknown[]; contents: Buffer[] }> {
  const table = await openLevelTable({
    ...{ directory: store, sync: false, log: silent, clock: Date, retryMs: 1_000 },
    ...{ writeBufferBytes: 1_048_576, cacheBytes: 1_048_576 },
  });
  const rows: unknown[] = [];
  const contents: Buffer[] = [];
  for await (const { key, value } of table.entries()) {
    const name = decodeKey(key);
    const isOctets = name[0] === 'content' || name[0] === 'wake';
    if (name[0] === 'content') contents.push(decodeOctets(key, value));
    const row = isOctets ? decodeOctets(key, value).toString('latin1') : decodeRow(key, value);
    rows.push(JSON.parse(JSON.stringify([name, row]), timeless) as unknown);
  }
  await table.close();
  return { rows, contents };
}

function timeless(_name: string, value: unknown): unknown {
  return typeof value === 'number' && value > 1e12 ? 'a time' : value;
}
