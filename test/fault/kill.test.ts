/** kill -9 at any moment, again and again: nothing acknowledged is lost, nothing comes twice. */

import { expect, test } from 'vitest';
import { Chain } from './chain.js';
import { note } from './fault-log.js';
import { emptyTally } from './ledger.js';

const kills = Number(process.env['FAULT_KILLS'] ?? 188);
const seed = Number(process.env['FAULT_SEED'] ?? 20_261_121);
/** Each is read whole after each of its kills: the more there are, the less is read. */
const stores = 4;
/** Stores at a time: one for each core. */
const lanes = 2;

test(
  `U1: ${kills} times kill -9 under load: no loss, no duplicate, no number twice`,
  async () => {
    const tally = emptyTally();
    const chains = Array.from({ length: stores }, (_, n) => new Chain(seed + n, tally));
    const waiting = chains.entries();
    const lane = async (): Promise<void> => {
      for (const [n, chain] of waiting) {
        try {
          await chain.run(Math.floor((kills + n) / stores));
        } finally {
          await chain.end();
        }
      }
    };
    const running = Array.from({ length: lanes }, lane);
    await Promise.allSettled(running);
    await Promise.all(running);
    note('kill -9 under load', { ...tally });
    expect(chains.flatMap(({ ledger }) => ledger.violations)).toEqual([]);
    expect(tally.kills).toBe(kills);
  },
  Math.max(600, kills * 6) * 1_000,
);
