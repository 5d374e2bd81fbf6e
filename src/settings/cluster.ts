/** Settings of shards: how many processes share the accounts of one server. */

import { z } from 'zod';
import { count, ms } from './forms.js';
import { shardsMax } from '../cluster/marker.js';

export const clusterSettings = z.strictObject({
  /** Processes with a store each; `auto`: one for each core. A directory keeps its number. */
  shards: z.union([z.int().min(1).max(shardsMax), z.literal('auto')]).default(1),
  /** Between the MSRP ports of one shard and those of the next. */
  msrpPortStep: z.int().min(1).max(1_000).default(10),
  /** Octets of SIP messages that wait for one shard; beyond, requests get 503. */
  pendingOctets: count.default(16_777_216),
  /** Questions of the front to a shard that wait for an answer, and ms for one of them. */
  questions: count.default(10_000),
  questionMs: ms.default(30_000),
  /** ms until a shard has to have its store open. */
  startMs: ms.default(60_000),
  /** ms before a shard that is gone is started again; doubled while it does not stay. */
  restartMs: ms.default(100),
  restartMaxMs: ms.default(10_000),
  /** ms between two looks at whether a shard is alive. */
  beatMs: ms.default(5_000),
});
