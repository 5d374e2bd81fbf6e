import { describe, expect, test } from 'vitest';
import { createWorld, settle } from './world.js';
import type { World } from './world.js';

const cpim = (id: string): string =>
  'From: <sip:nia@example.net>\r\n' +
  'To: <sip:tomas@example.net>\r\n' +
  'DateTime: 2026-11-20T09:00:00Z\r\n' +
  'NS: imdn <urn:ietf:params:imdn>\r\n' +
  `imdn.Message-ID: ${id}\r\n` +
  'imdn.Disposition-Notification: processing\r\n' +
  '\r\n' +
  'Content-Type: text/plain\r\n' +
  '\r\n' +
  'hi';

function submit(world: World, to: string, id: string): void {
  const body = cpim(id);
  world.sip.receive(
    `MESSAGE sip:${to}@example.net SIP/2.0\r\n` +
      `Via: SIP/2.0/TCP ua.example.net;branch=z9hG4bK${id}\r\n` +
      'From: <sip:nia@example.net>;tag=n1a\r\n' +
      `To: <sip:${to}@example.net>\r\n` +
      `Call-ID: ${id}@ua.example.net\r\n` +
      'CSeq: 1 MESSAGE\r\n' +
      'Content-Type: message/cpim\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** The reports that were sent and not answered yet. */
const inFlight = (world: World) => [...world.sip.pending.values()];

async function outboxOf(world: World, user: string): Promise<number> {
  const rows = await world.store.scan(`${user}@example.net`, { kind: 'outbox', limit: 100 });
  return rows.length;
}

describe('durable effects', () => {
  test('MSG-07: never two reports in flight to one URI, whoever they are from', async () => {
    const world = await createWorld();
    submit(world, 'tomas', 'one111');
    submit(world, 'tomas', 'two222');
    submit(world, 'klara', 'three3');
    await settle();
    for (let left = 3; left > 0; left--) {
      expect(inFlight(world)).toHaveLength(1);
      const [report] = inFlight(world);
      world.sip.answer(report!.owner, 'report', 200);
      await settle();
    }
    expect(inFlight(world)).toEqual([]);
    expect([await outboxOf(world, 'tomas'), await outboxOf(world, 'klara')]).toEqual([0, 0]);
  });

  test('a report is durable before it leaves, and is sent again by the next process', async () => {
    const world = await createWorld();
    world.message('tomas');
    await settle();
    const held = world.store.hold();
    submit(world, 'tomas', 'one111');
    await settle();
    expect(inFlight(world)).toEqual([]);
    held.release();
    await settle();
    const [first] = inFlight(world);
    const after = await world.crash();
    expect(await outboxOf(after, 'tomas')).toBe(1);
    // Nobody touches the account: it is woken for its outbox.
    after.clock.advance(30_000);
    await settle();
    const [second] = inFlight(after);
    expect(second?.body?.equals(first!.body!)).toBe(true);
    expect(second?.callId).toBe(first!.callId);
    after.sip.answer(second!.owner, 'report', 202);
    await settle();
    expect(await outboxOf(after, 'tomas')).toBe(0);
  });

  test('U5: what is due when a process begins waits until the ports are open', async () => {
    const world = await createWorld();
    submit(world, 'tomas', 'one111');
    await settle();
    world.clock.advance(60_000);
    // Until then the port throws.
    const after = await world.crash({ opening: settle });
    await settle();
    expect(after.logs.filter(({ level }) => level === 'error')).toEqual([]);
    expect(inFlight(after)).toHaveLength(1);
    expect(await outboxOf(after, 'tomas')).toBe(1);
  });

  test('what fails for the moment is tried again, later and later, and given up in the end', async () => {
    const world = await createWorld({ bounds: { outboxAttempts: 4, outboxRetryMs: 1000 } });
    submit(world, 'tomas', 'one111');
    await settle();
    for (const delay of [1000, 2000, 4000]) {
      const [report] = inFlight(world);
      world.sip.fail(report!.owner, 'report', 'timeout');
      await settle();
      world.clock.advance(delay - 1);
      await settle();
      expect(inFlight(world)).toEqual([]);
      world.clock.advance(1);
      await settle();
    }
    expect(world.requests('MESSAGE')).toHaveLength(4);
    world.sip.answer(inFlight(world)[0]!.owner, 'report', 503);
    await settle();
    expect(world.actors.counters()['actors.outbox.dead']).toBe(1);
    expect(await outboxOf(world, 'tomas')).toBe(0);
  });

  test('a refusal is final', async () => {
    const world = await createWorld();
    submit(world, 'tomas', 'one111');
    await settle();
    world.sip.answer(inFlight(world)[0]!.owner, 'report', 404);
    await settle();
    expect(world.requests('MESSAGE')).toHaveLength(1);
    expect(await outboxOf(world, 'tomas')).toBe(0);
    expect(world.logs.map(({ message }) => message)).toContain('durable effect given up');
  });

  test('metadata reaches an external XDMS in order, however often it fails', async () => {
    const world = await createWorld({ xdms: true });
    world.xdms.failNext(3);
    world.message('tomas', { headers: 'Expires: 5\r\n' });
    world.message('tomas');
    await settle();
    expect(world.xdms.histories.size).toBe(0);
    for (let second = 0; second < 12; second++) {
      world.clock.advance(1000);
      await settle();
    }
    expect([...world.xdms.histories.keys()]).toEqual(['sip:2@s07.example.net']);
    expect(await outboxOf(world, 'tomas')).toBe(0);
  });
});
