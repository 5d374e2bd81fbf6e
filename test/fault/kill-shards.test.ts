/** kill -9 of a server with several shards, and of one of them: the same rules as for one process. */

import { expect, test } from 'vitest';
import { Chain } from './chain.js';
import { note } from './fault-log.js';
import { emptyTally } from './ledger.js';

const kills = Math.ceil(Number(process.env['FAULT_KILLS'] ?? 120) / 10);
const seed = Number(process.env['FAULT_SEED'] ?? 20_261_121);

test.skipIf(process.platform !== 'linux')(
  `U1: ${kills} times kill -9 with two shards: those that are left end, and the next ones begin`,
  async () => {
    const tally = emptyTally();
    const chain = new Chain(seed, tally, () => ({ shards: 2 }));
    try {
      await chain.run(kills);
    } finally {
      await chain.end();
    }
    note('kill -9 with two shards', { ...tally });
    expect(chain.ledger.violations).toEqual([]);
    expect(tally.kills).toBe(kills);
    expect(tally.shardKills).toBeGreaterThan(0);
  },
  Math.max(600, kills * 12) * 1_000,
);
