import { describe, expect, test } from 'vitest';
import type { Limits } from '../../src/machines/events.js';
import { loopbackPeer } from '../../src/testing/simulated-ports.js';
import { limits as defaults } from '../flows/limits.js';
import { createWorld, messageTo, registerTomas, settle, storedFor } from './world.js';
import type { World, WorldOptions } from './world.js';

const limits: Limits = { ...defaults, forward: { ...defaults.forward, mode: 'messages' } };
const stranger = { ...loopbackPeer, address: '203.0.113.9' };
const owner = (number: number): string => `tomas@example.net#forward/${number}`;

/** A node on which tomas is available. */
async function available(more: WorldOptions = {}): Promise<World> {
  const world = await createWorld({ ...more, options: { limits, ...more.options } });
  world.sip.receive(registerTomas);
  await settle();
  return world;
}

describe('a message that is passed on (D-12)', () => {
  test('IMSpec-DMT-S-001: is kept octet by octet when that fails, with the time when it came', async () => {
    const world = await available();
    const octets = messageTo('tomas', 9, { headers: 'X-Odd:  spaced ,  twice\r\n' });
    const transaction = world.sip.receive(octets);
    await settle();
    expect(await storedFor(world, 'tomas')).toBe(0);
    world.clock.advance(7_000);
    world.sip.answer(owner(1), 'forward', 480);
    await settle();
    expect(world.status(transaction)).toBe(202);
    const content = await world.store.content('tomas@example.net', 1);
    expect(Buffer.from(await content!.read(0, content!.size)).toString()).toBe(octets);
    const [row] = await world.store.scan('tomas@example.net', { kind: 'ua', limit: 1 });
    const { context } = row!.value as { readonly context: { readonly receivedAt: number } };
    expect(context.receivedAt).toBe(world.clock.now() - 7_000);
  });

  test('PAI-01: a stranger asserts nothing', async () => {
    const world = await available();
    const headers =
      'P-Asserted-Identity: <sip:nia@example.net>\r\nP-Preferred-Identity: <sip:n@x>\r\n';
    world.sip.receive(messageTo('tomas', 9, { headers }), { peer: stranger });
    await settle();
    const [request] = world.requests('MESSAGE');
    expect(request!.headers.some(([name]) => name.startsWith('P-'))).toBe(false);
  });

  test('of a stranger follows no Route of his', async () => {
    const world = await available();
    const headers = 'Route: <sip:as1.example.net;lr>, <sip:victim.example;lr>\r\n';
    world.sip.receive(messageTo('tomas', 9, { headers }), { peer: stranger });
    await settle();
    expect(world.requests('MESSAGE')[0]).toMatchObject({ uri: 'sip:tomas@192.0.2.30', route: [] });
  });

  test('U16: goes to the user although it is never stored', async () => {
    const world = await available();
    const composing = messageTo('tomas', 9, {}).replace(
      'text/plain',
      'application/im-iscomposing+xml',
    );
    const transaction = world.sip.receive(composing);
    await settle();
    expect(world.requests('MESSAGE')).toHaveLength(1);
    world.sip.answer(owner(1), 'forward', 480);
    await settle();
    expect(world.status(transaction)).toBe(603);
    expect(await storedFor(world, 'tomas')).toBe(0);
  });

  test('D-18: and was taken is not passed on again', async () => {
    const world = await available();
    const first = world.message('tomas', { callId: 'same' });
    await settle();
    world.sip.answer(owner(1), 'forward', 200);
    await settle();
    expect(world.status(first)).toBe(200);
    const again = world.message('tomas', { callId: 'same' });
    await settle();
    expect(world.status(again)).toBe(202);
    expect(world.requests('MESSAGE')).toHaveLength(1);
    expect(await storedFor(world, 'tomas')).toBe(0);
  });

  test('takes its share of the octets that may be held, and gives it back', async () => {
    const world = await available({ bounds: { forwardOctets: 400 } });
    const first = world.message('tomas');
    const second = world.message('tomas');
    await settle();
    expect(world.requests('MESSAGE')).toHaveLength(1);
    expect(world.status(second)).toBe(202);
    world.sip.answer(owner(1), 'forward', 486);
    await settle();
    expect(world.status(first)).toBe(486);
    world.message('tomas');
    await settle();
    expect(world.requests('MESSAGE')).toHaveLength(2);
  });

  test('is answered when the account loses its memory', async () => {
    const world = await available();
    const forwarded = world.message('tomas');
    await settle();
    world.store.failNext('STORE_UNAVAILABLE');
    world.sip.receive(registerTomas.replace('CSeq: 1', 'CSeq: 2'));
    await settle();
    expect(world.status(forwarded)).toBe(503);
    // A late answer finds nobody.
    world.sip.answer(owner(1), 'forward', 200);
    await settle();
    expect(world.actors.counters()['actors.accounts.stopped']).toBe(0);
  });

  test('U11: is not kept when the answer comes while the account is busy', async () => {
    const world = await available({ bounds: { ahead: 1 } });
    world.message('tomas');
    await settle();
    // A commit is under way, so that time and answer wait for each other in the queue.
    world.sip.receive(registerTomas.replace('CSeq: 1', 'CSeq: 2'));
    world.clock.advance(limits.forward.waitMs);
    world.sip.answer(owner(1), 'forward', 200);
    await settle();
    expect(await storedFor(world, 'tomas')).toBe(0);
    expect(world.actors.counters()['actors.forwards.deferred']).toBe(1);
  });

  test('D-50, U9: waits for no push that is under way', async () => {
    const world = await createWorld({ options: { limits } });
    world.message('tomas');
    await settle();
    world.sip.receive(registerTomas);
    await settle();
    expect(world.requests('INVITE')).toHaveLength(1);
    const transaction = world.message('tomas');
    await settle();
    expect(world.requests('MESSAGE')).toHaveLength(1);
    world.sip.answer(owner(2), 'forward', 200);
    await settle();
    expect(world.status(transaction)).toBe(200);
  });

  test('D-12, U7: the timer of the forward is that of the account, not of the transaction', async () => {
    const world = await available();
    const transaction = world.message('tomas');
    await settle();
    world.clock.advance(limits.forward.waitMs - 1);
    await settle();
    expect(world.status(transaction)).toBeUndefined();
    world.clock.advance(1);
    await settle();
    expect(world.status(transaction)).toBe(202);
    expect(await storedFor(world, 'tomas')).toBe(1);
    world.sip.answer(owner(1), 'forward', 200);
    await settle();
    expect(await storedFor(world, 'tomas')).toBe(0);
  });
});

describe('TPR-03: a store that is slow', () => {
  const thirdParty = registerTomas
    .replace('From: <sip:tomas@example.net>', 'From: <sip:scscf.example.net>')
    .replace('<sip:tomas@192.0.2.30>;+g.oma.sip-im', '<sip:scscf.example.net>');

  test('holds back no answer to an S-CSCF, and what follows from it waits all the same', async () => {
    const world = await createWorld();
    world.message('tomas');
    await settle();
    const held = world.store.hold();
    const transaction = world.sip.receive(thirdParty);
    // Before any turn of the event loop: nothing was waited for.
    expect(world.status(transaction)).toBe(200);
    expect(world.header(transaction, 'Expires')).toBe('3600');
    await settle();
    expect(world.requests('INVITE')).toHaveLength(0);
    held.release();
    await settle();
    expect(world.requests('INVITE')).toHaveLength(1);
  });

  test('holds back the answer to the user, whose registrar this server is', async () => {
    const world = await createWorld();
    const held = world.store.hold();
    const transaction = world.sip.receive(registerTomas);
    await settle();
    expect(world.status(transaction)).toBeUndefined();
    held.release();
    await settle();
    expect(world.status(transaction)).toBe(200);
  });

  test('that fails costs the S-CSCF nothing; the next registration is heard', async () => {
    const world = await createWorld();
    world.message('tomas');
    await settle();
    world.store.failNext('STORE_UNAVAILABLE');
    const lost = world.sip.receive(thirdParty);
    await settle();
    expect(world.status(lost)).toBe(200);
    expect(world.requests('INVITE')).toHaveLength(0);
    world.sip.receive(thirdParty.replace('CSeq: 1', 'CSeq: 2'));
    await settle();
    expect(world.requests('INVITE')).toHaveLength(1);
  });
});

test('PATH-01: Path of a REGISTER here is the route to the user, in order (RFC 3327 5)', async () => {
  const world = await createWorld({ options: { limits } });
  const path = 'Path: <sip:edge.example.net;lr>, <sip:core.example.net;lr>\r\n';
  world.message('tomas');
  world.sip.receive(registerTomas.replace('Expires', `${path}Expires`));
  await settle();
  const route = ['<sip:edge.example.net;lr>', '<sip:core.example.net;lr>'];
  expect(world.requests('INVITE')[0]).toMatchObject({ uri: 'sip:tomas@192.0.2.30', route });
  world.message('tomas');
  await settle();
  expect(world.requests('MESSAGE')[0]).toMatchObject({ uri: 'sip:tomas@192.0.2.30', route });
});
