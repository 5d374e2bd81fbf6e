/** The program of docs/embedding.md: what the page shows is what runs here. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ManualClock } from '../../../src/testing/clock.js';
import { openSipPeer, requestOf } from '../../../src/testing/sip-peer.js';
import { serveThroughDrachtio } from './embed.js';
import { secret, StandIn } from './stand-in.js';

test('docs/embedding.md shows the program that is tested', () => {
  const page = readFileSync(new URL('../../../docs/embedding.md', import.meta.url), 'utf8');
  const program = readFileSync(new URL('./embed.ts', import.meta.url), 'utf8');
  const shown = program.slice(program.indexOf('export async function'));
  expect(page).toContain(shown);
});

test('a MESSAGE through drachtio is stored for a user who is offline', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'poste-drachtio-'));
  const server = new StandIn('udp', new ManualClock());
  await server.start();
  const connection = { host: '127.0.0.1', port: server.control.port, secret };
  const stop = await serveThroughDrachtio(connection, directory);
  const peer = await openSipPeer('udp');
  try {
    const body = Buffer.from('Grüße, 😀');
    const headers = [
      ['P-Asserted-Identity', '<sip:alice@example.com>'],
      ['Content-Type', 'text/plain;charset=utf-8'],
    ] as const;
    peer.send(server.address, requestOf(peer, { method: 'MESSAGE', branch: 'm', headers, body }));
    expect((await peer.nextResponse()).status).toBe(202);
  } finally {
    await peer.close();
    await stop();
    await server.stop();
    rmSync(directory, { recursive: true });
  }
});
