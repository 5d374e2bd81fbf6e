/** The line of the log that says among how many processes the accounts are divided. */

import { availableParallelism } from 'node:os';
import type { ShardCount } from '../cluster/shard-count.js';
import type { Settings } from '../config.js';
import type { Log } from '../ports.js';
import { createLog } from './log.js';

/** `cores` beside `shards`: a directory keeps its number until `store reshard` gives it another. */
export function logShards({ log: { level } }: Settings, given: Log | undefined, count: ShardCount) {
  const log = given ?? createLog(level);
  const fields = { ...count, cores: availableParallelism() };
  const text = count.shards === 1 ? 'one process serves all accounts' : 'each shard is a process';
  log.info(fields, text);
}
