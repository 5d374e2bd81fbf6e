/** How long the commits of all shards have taken, as `/metrics` shows it of one store. */

import type { Histogram } from '../admin/parts.js';
import { ClusterError } from '../cluster/calls.js';
import type { ShardQuestions } from './sharded-accounts.js';

export class ShardedLatency {
  readonly #latest: (Histogram | undefined)[] = [];

  /** Asks every shard; of one that does not answer what it last said stays. */
  async refresh({ shards, ask }: ShardQuestions): Promise<void> {
    const asked = Array.from({ length: shards }, async (_, shard) => {
      try {
        const told = (await ask(shard, 'latency')) as Histogram | undefined;
        if (told) this.#latest[shard] = told;
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
      }
    });
    await Promise.all(asked);
  }

  /** Undefined: no shard has said anything yet. */
  sum(): Histogram | undefined {
    const [first, ...others] = this.#latest.filter((one) => one !== undefined);
    if (!first) return undefined;
    return others.reduce(
      (sum, one) => ({
        bounds: sum.bounds,
        counts: sum.counts.map((count, at) => count + (one.counts[at] ?? 0)),
        sum: sum.sum + one.sum,
        count: sum.count + one.count,
      }),
      first,
    );
  }
}
