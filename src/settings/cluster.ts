/** Settings of shards: how many processes share the accounts of one server. */

import { z } from 'zod';
import { count, ms } from './forms.js';
import { shardsMax } from '../cluster/marker.js';

export const clusterSettings = z.strictObject({
  /**
   * Processes with a store each. `auto`: as many as the directory is divided among, and for a new
   * one a shard for each core, 8 at most. Absent: `auto` for `serve`, one process for `startServer`.
   * A directory keeps its number; another one is refused.
   */
  shards: z.union([z.int().min(1).max(shardsMax), z.literal('auto')]).optional(),
  /**
   * 0: one MSRP port for all shards. Else each listens itself, so much further than the one before:
   * without a hop, and with a port of each to let through.
   */
  msrpPortStep: z.int().min(0).max(1_000).default(0),
  /** Octets that one MSRP connection and one shard may send each other before they are taken in. */
  msrpWindowOctets: z.int().min(32_768).max(16_777_216).default(131_072),
  /**
   * Octets of all MSRP connections together that wait in one process; beyond, the connection that
   * has moved nothing for longest is closed.
   */
  msrpHeldOctets: z.int().min(1_048_576).default(268_435_456),
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
