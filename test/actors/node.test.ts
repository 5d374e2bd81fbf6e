import { describe, expect, test } from 'vitest';
import type { ScanRange, StorePort } from '../../src/ports.js';
import { limits } from '../flows/limits.js';
import { answerSdp, createWorld, registerTomas, settle, storedFor } from './world.js';
import type { World } from './world.js';

const count = (world: World, name: string): number => world.actors.counters()[name] ?? 0;

describe('accounts in memory', () => {
  test('idle ones make room, and are found again in the store', async () => {
    const world = await createWorld({ bounds: { accounts: 2 } });
    for (const user of ['a', 'b', 'c', 'd', 'a']) {
      const transaction = world.message(user);
      await settle();
      expect(world.status(transaction)).toBe(202);
      expect(count(world, 'actors.accounts')).toBeLessThanOrEqual(2);
    }
    expect(count(world, 'actors.passivations')).toBe(3);
    expect(await storedFor(world, 'a')).toBe(2);
  });

  test('one that is used again stays before others that came later', async () => {
    const world = await createWorld({ bounds: { accounts: 3 } });
    for (const user of ['a', 'b', 'c', 'd', 'b', 'e', 'b']) {
      world.message(user);
      await settle();
    }
    expect(count(world, 'actors.loads')).toBe(5);
    expect(count(world, 'actors.passivations')).toBe(2);
  });

  test('one with a session stays, however old', async () => {
    const world = await createWorld({ bounds: { accounts: 2 } });
    world.message('tomas');
    world.sip.receive(registerTomas);
    await settle();
    const push = 'tomas@example.net#push/1';
    for (const user of ['b', 'c', 'd']) world.message(user);
    await settle();
    expect(count(world, 'actors.accounts')).toBe(2);
    world.sip.answer(push, 'invite', 200, answerSdp);
    world.msrp.connected(push);
    await settle();
    expect(world.msrp.pending).toHaveLength(1);
    expect(count(world, 'actors.loads')).toBe(count(world, 'actors.passivations') + 2);
  });

  test('when nothing is idle, another account is refused with 503', async () => {
    const world = await createWorld({ bounds: { accounts: 1 } });
    world.message('tomas');
    await settle();
    const held = world.store.hold();
    const waiting = world.message('tomas');
    const refused = world.message('klara');
    expect(world.status(refused)).toBe(503);
    held.release();
    await settle();
    expect(world.status(waiting)).toBe(202);
    const later = world.message('klara');
    await settle();
    expect(world.status(later)).toBe(202);
  });

  test('of another node: 503, and nothing is loaded', async () => {
    const placement = { owns: (id: string) => id !== 'tomas@example.net' };
    const world = await createWorld({ options: { placement } });
    const transactions = [world.message('tomas'), world.message('klara')];
    await settle();
    expect(transactions.map(world.status)).toEqual([503, 202]);
    expect(count(world, 'actors.loads')).toBe(1);
  });
});

describe('durable timers', () => {
  test('fire in the next process, also for accounts that nobody has touched since', async () => {
    const world = await createWorld();
    world.message('tomas', { headers: 'Expires: 60\r\n' });
    world.message('klara', { headers: 'Expires: 90\r\n' });
    await settle();
    const after = await world.crash();
    expect(count(after, 'actors.loads')).toBe(0);
    after.clock.advance(61_000);
    await settle();
    expect([await storedFor(after, 'tomas'), await storedFor(after, 'klara')]).toEqual([0, 1]);
    after.clock.advance(30_000);
    await settle();
    expect(await storedFor(after, 'klara')).toBe(0);
    expect(await after.store.nextDue()).toBeUndefined();
  });

  test('that ran out while no process was there fire when the next one starts', async () => {
    const world = await createWorld();
    world.message('tomas', { headers: 'Expires: 60\r\n' });
    await settle();
    world.clock.advance(1000);
    await world.actors.stop(0);
    world.clock.advance(100_000);
    const after = await world.crash();
    await settle();
    expect(await storedFor(after, 'tomas')).toBe(0);
  });

  test('U14: of one account are read on from where the last one stood', async () => {
    const scans: (number | undefined)[] = [];
    const wrap = (store: StorePort): StorePort => {
      const scan = (account: string, range: ScanRange) => {
        if (range.kind === 'timer') scans.push(range.after);
        return store.scan(account, range);
      };
      return new Proxy(store, {
        get: (target, name) => {
          const value: unknown = name === 'scan' ? scan : Reflect.get(target, name, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    };
    const world = await createWorld({ wrap });
    const begin = world.clock.now();
    world.message('tomas', { headers: 'Expires: 60\r\n' });
    world.message('tomas', { headers: 'Expires: 1000\r\n' });
    await settle();
    world.clock.advance(60_000);
    await settle();
    expect(await storedFor(world, 'tomas')).toBe(1);
    // A timer that is set before the one that was seen last is seen as well.
    world.message('tomas', { headers: 'Expires: 60\r\n' });
    await settle();
    world.clock.advance(60_000);
    await settle();
    expect(await storedFor(world, 'tomas')).toBe(1);
    world.clock.advance(1_000_000);
    await settle();
    expect(await storedFor(world, 'tomas')).toBe(0);
    const from = [0, 60_000, 120_000].map((ms) => (ms === 0 ? -1 : begin + ms - 1));
    expect([...new Set(scans)]).toEqual(from);
  });

  test('more of them than one look takes are all delivered', async () => {
    const world = await createWorld({ bounds: { due: 3, accounts: 20 } });
    for (let n = 0; n < 10; n++) world.message(`user${n}`, { headers: 'Expires: 60\r\n' });
    await settle();
    world.clock.advance(60_000);
    await settle();
    await settle();
    for (let n = 0; n < 10; n++) expect(await storedFor(world, `user${n}`)).toBe(0);
  });

  test('are tried again when the store fails meanwhile', async () => {
    const world = await createWorld();
    world.message('tomas', { headers: 'Expires: 60\r\n' });
    await settle();
    world.store.failNext('STORE_UNAVAILABLE');
    world.clock.advance(60_000);
    await settle();
    expect(await storedFor(world, 'tomas')).toBe(1);
    world.clock.advance(1000);
    await settle();
    expect(await storedFor(world, 'tomas')).toBe(0);
  });
});

describe('a restart is an event', () => {
  test('a push that was under way is begun again', async () => {
    const world = await createWorld();
    world.message('tomas');
    world.sip.receive(registerTomas);
    await settle();
    expect(world.requests('INVITE')).toHaveLength(1);
    const after = await world.crash();
    expect(after.requests('INVITE')).toHaveLength(0);
    after.clock.advance(limits.push.retryMs);
    await settle();
    await settle();
    const [invite, ...others] = after.requests('INVITE');
    expect(others).toEqual([]);
    const push = invite!.owner;
    after.sip.answer(push, 'invite', 200, answerSdp);
    after.msrp.connected(push);
    await settle();
    after.msrp.answer(push, 200);
    await settle();
    expect(await storedFor(after, 'tomas')).toBe(0);
  });
});

describe('sessions', () => {
  test('messages at rest are read again for a push: the turn is taken twice', async () => {
    const world = await createWorld();
    for (let n = 0; n < 3; n++) world.message('tomas');
    await settle();
    world.sip.receive(registerTomas);
    await settle();
    const push = 'tomas@example.net#push/1';
    world.sip.answer(push, 'invite', 200, answerSdp);
    world.msrp.connected(push);
    await settle();
    expect(count(world, 'actors.reruns')).toBe(1);
    expect(world.msrp.pending.map(({ owner }) => owner)).toEqual([
      `tomas@example.net#ua/1 push/1`,
      `tomas@example.net#ua/2 push/1`,
      `tomas@example.net#ua/3 push/1`,
    ]);
  });

  test('a message without content is skipped, the others are delivered', async () => {
    const world = await createWorld({
      wrap: (store) =>
        Object.assign(Object.create(store) as typeof store, {
          content: (id: string, serial: number) =>
            serial === 1 ? Promise.resolve(undefined) : store.content(id, serial),
        }),
    });
    for (let n = 0; n < 2; n++) world.message('tomas');
    world.sip.receive(registerTomas);
    await settle();
    const push = 'tomas@example.net#push/1';
    world.sip.answer(push, 'invite', 200, answerSdp);
    world.msrp.connected(push);
    await settle();
    expect(world.msrp.pending).toHaveLength(1);
    world.msrp.answer(push, 200);
    await settle();
    expect(world.calls).toContainEqual(expect.objectContaining({ call: 'bye', owner: push }));
    expect(await storedFor(world, 'tomas')).toBe(1);
  });

  test('without room for an MSRP session a push fails and is tried later', async () => {
    const world = await createWorld({ sessionsMax: 0 });
    world.message('tomas');
    world.sip.receive(registerTomas);
    await settle();
    expect(world.requests('INVITE')).toEqual([]);
    expect(await storedFor(world, 'tomas')).toBe(1);
    expect(count(world, 'actors.accounts.stopped')).toBe(0);
  });

  test('the node stops: what was taken is committed and answered first', async () => {
    const world = await createWorld();
    world.message('tomas');
    await settle();
    const held = world.store.hold();
    const taken = world.message('tomas');
    const stopped = world.actors.stop(1000);
    const late = world.message('tomas');
    expect(world.status(late)).toBe(503);
    held.release();
    await stopped;
    expect(world.status(taken)).toBe(202);
  });
});
