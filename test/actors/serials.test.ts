import { describe, expect, test } from 'vitest';
import { Serials } from '../../src/actors/serials.js';
import { createWorld, settle } from './world.js';
import { limits } from '../flows/limits.js';

function counter() {
  let next = 1;
  const calls: number[] = [];
  return {
    calls,
    store: {
      reserve: (_name: string, count: number) => {
        calls.push(count);
        next += count;
        return Promise.resolve(next - count);
      },
    },
  };
}

describe('numbers of messages', () => {
  test('small blocks come out of large ones without gap, the next is reserved in time', async () => {
    const { calls, store } = counter();
    const serials = new Serials({ store, hostname: 'h', nodeBlock: 10, accountBlock: 4 });
    expect(serials.offer()).toBeUndefined();
    await serials.ready();
    const taken: number[] = [];
    for (let n = 0; n < 6; n++) {
      const block = serials.offer()!;
      serials.take(block);
      for (let serial = block.from; serial <= block.to; serial++) taken.push(serial);
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(taken).toEqual(taken.map((_, index) => index + 1));
    expect(calls.length).toBeGreaterThanOrEqual(2);
  });

  test('a block that was offered and not taken is offered again', async () => {
    const serials = new Serials({ ...counter(), hostname: 'h', nodeBlock: 10, accountBlock: 4 });
    await serials.ready();
    expect(serials.offer()).toEqual(serials.offer());
  });

  test('a store that fails is asked again by the next who needs a number', async () => {
    let fails = true;
    const reserve = () => (fails ? Promise.reject(new Error('away')) : Promise.resolve(1));
    const serials = new Serials({
      store: { reserve },
      hostname: 'h',
      nodeBlock: 10,
      accountBlock: 4,
    });
    await expect(serials.ready()).rejects.toThrow('away');
    fails = false;
    await serials.ready();
    expect(serials.offer()).toEqual({ from: 1, to: 4 });
  });

  test('none is used twice after a crash, by whatever accounts', async () => {
    let world = await createWorld({
      bounds: { nodeBlock: 4, accountBlock: 1 },
      options: { limits: { ...limits, quota: { messages: 100, octets: 100_000 } } },
    });
    const users = ['a', 'b', 'c'];
    const seen = new Set<number>();
    for (let life = 0; life < 3; life++) {
      for (let n = 0; n < 12; n++) world.message(users[n % 3]!, { callId: `${life}-${n}` });
      await settle();
      world = await world.crash();
    }
    for (const user of users) {
      const rows = await world.store.scan(`${user}@example.net`, { kind: 'ua', limit: 100 });
      for (const { key } of rows) seen.add(key[1] as number);
    }
    expect(seen.size).toBe(36);
  });
});
