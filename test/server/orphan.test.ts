/** A shard whose front was killed ends soon; until then the next one waits for its store. */

import { expect, test } from 'vitest';
import { afterOrphan } from '../../src/server/orphan.js';
import { StoreError } from '../../src/store/store-error.js';
import { ManualClock } from '../../src/testing/clock.js';

class Refusing {
  asked = 0;
  readonly #code: 'STORE_LOCKED' | 'STORE_DAMAGED';
  readonly #times: number;

  constructor(code: 'STORE_LOCKED' | 'STORE_DAMAGED', times: number) {
    this.#code = code;
    this.#times = times;
  }

  readonly open = (): Promise<string> => {
    if (++this.asked > this.#times) return Promise.resolve('opened');
    return Promise.reject(new StoreError(this.#code, 'held'));
  };
}

/** Lets the clock go on until the promise is settled. */
async function settled<Value>(clock: ManualClock, promise: Promise<Value>): Promise<Value> {
  let isSettled = false;
  const end = (): void => {
    isSettled = true;
  };
  promise.then(end, end);
  while (!isSettled) {
    await new Promise(setImmediate);
    clock.advance(50);
  }
  return promise;
}

test('STORE_LOCKED: a store that an earlier shard still holds is opened when it is gone', async () => {
  const clock = new ManualClock();
  const store = new Refusing('STORE_LOCKED', 3);
  expect(await settled(clock, afterOrphan(store.open, clock))).toBe('opened');
  expect(store.asked).toBe(4);
});

test('STORE_LOCKED: whoever holds it for good is told of after ten seconds', async () => {
  const clock = new ManualClock();
  const began = clock.now();
  const store = new Refusing('STORE_LOCKED', Infinity);
  const opened = settled(clock, afterOrphan(store.open, clock));
  await expect(opened).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  expect(clock.now() - began).toBeGreaterThanOrEqual(10_000);
  expect(clock.now() - began).toBeLessThan(11_000);
});

test('STORE_DAMAGED: what waiting does not mend is told at once', async () => {
  const clock = new ManualClock();
  const store = new Refusing('STORE_DAMAGED', Infinity);
  await expect(afterOrphan(store.open, clock)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  expect(store.asked).toBe(1);
});
