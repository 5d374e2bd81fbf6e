/** The witness of the wire simulator: what it makes of a message that leaves the store. */

import { expect, test } from 'vitest';
import { createMemoryStore } from '../../src/store/memory.js';
import { SimulationLedger } from '../../src/verify/simulation-ledger.js';
import { bodyOf } from '../../src/verify/simulation/wire-message.js';
import { WireWitness } from '../../src/verify/simulation/wire-witness.js';

const account = 'u1@example.net';
const expiresAt = 1_000;
const report = '<message-id>m1_10</message-id><delivery-notification>';

/** A message that is stored, and taken by its user, leaves the store at `now`. */
async function leaves(now: number, taken = 1) {
  const ledger = new SimulationLedger(() => now);
  const breaches: unknown[] = [];
  const guarded = (call: () => void): void => {
    try {
      call();
    } catch (error) {
      breaches.push(error);
    }
  };
  const witness = new WireWitness({ ledger, now: () => now, latest: () => now, guarded });
  const store = witness.watch(createMemoryStore());
  const message = ledger.sent({ id: 'm1_10', from: 'u2', to: 'u1', reports: true, sentAt: 0 });
  message.taken = taken;
  message.received = taken;
  const { version } = await store.load(account);
  const row = { key: ['ua', 1], value: { context: { read: false, expiresAt } } } as const;
  const keeps = [{ serial: 1, content: bodyOf(message.id) }];
  const stored = await store.commit(account, version, {
    ...{ puts: [row], deletes: [], keeps, drops: [] },
  });
  await store.commit(account, stored, { puts: [], deletes: [row.key], keeps: [], drops: [1] });
  // What is noted of a commit comes behind its outcome.
  await new Promise((resolve) => setImmediate(resolve));
  guarded(() => ledger.reported(Buffer.from(report), 'c1'));
  return breaches.map(String);
}

test('a message may be reported undelivered at its end when its user has said in vain to have it', async () => {
  expect(await leaves(expiresAt)).toEqual([]);
});

test('one that left the store before its end was delivered: nobody may report anything else', async () => {
  expect(await leaves(expiresAt - 1)).toEqual([expect.stringContaining('is reported undelivered')]);
});

test('one that left the store before its end, and was never taken, is lost', async () => {
  const breaches = await leaves(expiresAt - 1, 0);
  expect(breaches).toEqual([expect.stringContaining('has not said to have it')]);
});
