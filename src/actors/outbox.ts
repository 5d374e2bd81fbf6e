/** The outbox of one account: durable effects on their way, retried until they are done. */

import assert from 'node:assert';
import type { Effect } from '../machines/effects.js';
import type { AccountId, Clock, Log } from '../ports.js';
import type { Counters } from './counters.js';
import type { Bounds } from './options.js';

export type DurableEffect = Extract<
  Effect,
  { readonly type: 'history.put' | 'history.delete' | 'report.send' }
>;

/** The row of a durable effect. Stored data. */
export interface OutboxRow {
  readonly effect: DurableEffect;
  /** When it was decided. */
  readonly at: number;
  /** Fixed before the first attempt, so that every attempt says the same (D-29). */
  readonly token: string;
}

/** `refused`: trying again would not help. */
export type Outcome = 'done' | 'retry' | 'refused';

export interface OutboxParts {
  readonly account: AccountId;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  readonly bounds: Bounds;
  /** One attempt. */
  deliver(account: AccountId, row: OutboxRow): Promise<Outcome>;
  /** The row is not needed any more. */
  finished(number: number): void;
}

interface Entry {
  readonly number: number;
  readonly row: OutboxRow;
  attempts: number;
}

/** Effects for one target are done one after the other, in the order in which they were decided. */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #lanes = new Map<string, Entry[]>();
  readonly #withdrawals = new Map<string, () => void>();
  #next = 1;
  #dropped = false;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  get isEmpty(): boolean {
    return this.#lanes.size === 0;
  }

  /** A number for the row of an effect. */
  number(): number {
    return this.#next++;
  }

  /** The row is durable: performs it when those before it are done. */
  take(number: number, row: OutboxRow): void {
    this.#next = Math.max(this.#next, number + 1);
    const target = targetOf(row.effect);
    const lane = this.#lanes.get(target);
    const entry = { number, row, attempts: 0 };
    if (lane) {
      lane.push(entry);
      return;
    }
    this.#lanes.set(target, [entry]);
    this.#attempt(target, entry);
  }

  /** The account leaves memory: nothing is tried any more, the rows stay. */
  drop(): void {
    this.#dropped = true;
    for (const withdraw of this.#withdrawals.values()) withdraw();
    this.#withdrawals.clear();
    this.#lanes.clear();
  }

  #attempt(target: string, entry: Entry): void {
    entry.attempts++;
    const { account, deliver } = this.#parts;
    deliver(account, entry.row).then(
      (outcome) => this.#judge(target, entry, outcome),
      (error: unknown) => {
        this.#parts.log.error({ err: error, account }, 'a durable effect could not be tried');
        this.#judge(target, entry, 'refused');
      },
    );
  }

  #judge(target: string, entry: Entry, outcome: Outcome): void {
    if (this.#dropped) return;
    const { counters, bounds, log, account } = this.#parts;
    if (outcome === 'retry' && entry.attempts < bounds.outboxAttempts) {
      counters['actors.outbox.retries']++;
      this.#retry(target, entry);
      return;
    }
    if (outcome === 'done') {
      counters['actors.outbox.done']++;
    } else {
      counters['actors.outbox.dead']++;
      const { attempts, row } = entry;
      log.warn({ account, effect: row.effect.type, attempts, outcome }, 'durable effect given up');
    }
    this.#advance(target, entry);
    this.#parts.finished(entry.number);
  }

  #retry(target: string, entry: Entry): void {
    const { outboxRetryMs, outboxRetryMaxMs } = this.#parts.bounds;
    const delay = Math.min(outboxRetryMs * 2 ** (entry.attempts - 1), outboxRetryMaxMs);
    const withdraw = this.#parts.clock.after(delay, () => {
      this.#withdrawals.delete(target);
      this.#attempt(target, entry);
    });
    this.#withdrawals.set(target, withdraw);
  }

  #advance(target: string, entry: Entry): void {
    const lane = this.#lanes.get(target);
    assert(lane);
    assert.equal(lane.shift(), entry, 'a lane is done in order');
    const next = lane[0];
    if (next) this.#attempt(target, next);
    else this.#lanes.delete(target);
  }
}

/** The document of metadata is one target (XCAP-10), every receiver of reports another. */
function targetOf(effect: DurableEffect): string {
  return effect.type === 'report.send' ? effect.to : 'xdms';
}
