/** kill -9 around the storing of a large message: all of it is there, or nothing. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Content } from '../../src/ports.js';
import { openLevelStore } from '../../src/store/level.js';
import { silent } from '../store/silent.js';
import { generated, LargePeer, sha256Of } from './large-peer.js';
import { startLargeProcess } from './large-process.js';
import type { LargeProcess } from './large-process.js';

let running: LargeProcess;
const peers: LargePeer[] = [];

async function peer(user: string): Promise<LargePeer> {
  const opened = await LargePeer.open(user, { sipPort: running.server.sipPort });
  peers.push(opened);
  return opened;
}

beforeEach(async () => {
  running = await startLargeProcess();
});

afterEach(async () => {
  for (const one of peers.splice(0)) await one.close();
  await running.end();
});

const size = 8_000_000;

test('IMSpec-DMT-S-001, U6: kill -9 behind the 200 of the last SEND: it is there, equal by hash', async () => {
  const nia = await peer('nia');
  const dialog = await nia.inviteToSend('tomas');
  await nia.next('connected');
  nia.send(dialog.owner, 'm4Pq77sA', generated(size));
  expect(await nia.next('sent')).toMatchObject({ status: 200 });
  await running.crash();
  const tomas = await peer('tomas');
  await tomas.inviteToRetrieve('application/octet-stream');
  await tomas.next('connected');
  expect((await tomas.next('received')).sha256).toBe(await sha256Of(generated(size)));
  await tomas.answer('BYE');
});

test('IMSpec-DMT-S-001, D-16: kill -9 in the middle of it: nothing is there, and none of its octets', async () => {
  const nia = await peer('nia');
  const dialog = await nia.inviteToSend('tomas');
  await nia.next('connected');
  await sendUntil(nia, dialog.owner, 6_000_000);
  await running.crash();
  // An empty mailbox: 200, then BYE.
  const tomas = await peer('tomas');
  expect((await tomas.inviteToRetrieve('*')).response.status).toBe(200);
  await tomas.next('connected');
  const bye = await tomas.answer('BYE');
  expect(bye.header('Reason')).toContain('No deferred messages');
  await running.server.end('SIGTERM');
  expect(running.server.log()).toContain('unfinished uploads removed');
  const store = await openLevelStore({
    directory: running.directory,
    durability: 'os',
    log: silent,
  });
  try {
    expect(await store.sweep(Number.MAX_SAFE_INTEGER)).toBe(0);
    expect(await store.scan('tomas@example.org', { kind: 'ua', limit: 10 })).toEqual([]);
    expect(await store.content('tomas@example.org', 1)).toBeUndefined();
  } finally {
    await store.close();
  }
});

/** Resolves when the peer has been asked for what lies behind `until`, which never comes. */
function sendUntil(nia: LargePeer, owner: string, until: number): Promise<void> {
  const whole = generated(size);
  return new Promise((resolve) => {
    const content: Content = {
      size,
      read: (offset, length) => {
        if (offset < until) return whole.read(offset, length);
        resolve();
        return new Promise<Buffer>(() => undefined);
      },
    };
    nia.send(owner, 'm4Pq77sA', content);
  });
}
