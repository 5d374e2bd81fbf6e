/** The outbox of one account: durable effects on their way, retried until they are done. */

import assert from 'node:assert';
import type { Effect } from '../machines/effects.js';
import type { AccountId, Clock, Log } from '../ports.js';
import type { Counters } from './counters.js';
import type { Bounds } from './options.js';

export type DurableEffect =
  | Extract<Effect, { readonly type: 'history.put' | 'history.delete' | 'report.send' }>
  /** No machine asks for it: the document is put anew from the store (D-83). */
  | { readonly type: 'history.rebuild' };

/** The row of a durable effect. Stored data. */
export interface OutboxRow {
  readonly effect: DurableEffect;
  /** When it was decided. */
  readonly at: number;
  /** Fixed before the first attempt, so that every attempt says the same (D-29). */
  readonly token: string;
}

/** `refused`: trying again would not help; `changed`: done, and the document needs a rebuild. */
export type Outcome = 'done' | 'changed' | 'retry' | 'refused';

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
  /** A rebuild from the store stands for all of these rows, which are not needed any more. */
  superseded(numbers: readonly number[]): void;
  /** Rows behind `after` in the store, in order. */
  behind(after: number, limit: number): Promise<readonly OutboxEntry[]>;
}

export interface OutboxEntry {
  readonly number: number;
  readonly row: OutboxRow;
}

interface Entry extends OutboxEntry {
  attempts: number;
}

/** Metadata of a deleted message, held until its report has been tried (D-29). */
interface Held {
  readonly serial: number;
  release(): void;
}

/**
 * Effects for one target are done one after the other, in the order in which they were decided. At
 * most `outboxEntries` are in memory; the others wait in the store.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #lanes = new Map<string, Entry[]>();
  readonly #withdrawals = new Map<string, () => void>();
  /** Messages whose report of failure has not been tried yet. */
  readonly #untried = new Set<number>();
  #held: Held | undefined;
  #next = 1;
  #size = 0;
  /** The highest number in memory. */
  #last = 0;
  /** There are rows behind it that only the store has. */
  #behind = false;
  /** Such a row came while the store was being read. */
  #missed = false;
  #reading = false;
  #dropped = false;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  get isEmpty(): boolean {
    return this.#lanes.size === 0 && !this.#behind;
  }

  /**
   * Nothing is under way, and what waits may as well wait in the store: an XDMS that is down keeps
   * no account in memory.
   */
  get isQuiet(): boolean {
    if (this.isEmpty) return true;
    return this.#lanes.size === 1 && this.#withdrawals.has(xdms);
  }

  /** When the account is to be woken for what a crash leaves behind: the older, the later. */
  wakeAt(now: number): number {
    if (this.isEmpty) return Infinity;
    const { outboxWakeMs, outboxRetryMaxMs } = this.#parts.bounds;
    let oldest = now;
    for (const [first] of this.#lanes.values()) oldest = Math.min(oldest, first!.row.at);
    return now + Math.max(outboxWakeMs, Math.min(now - oldest, outboxRetryMaxMs));
  }

  /** A number for the row of an effect. */
  number(): number {
    return this.#next++;
  }

  /** The row is durable: performs it when those before it are done. */
  take(number: number, row: OutboxRow): void {
    this.#next = Math.max(this.#next, number + 1);
    if (this.#behind || this.#size >= this.#parts.bounds.outboxEntries) {
      this.#behind = true;
      this.#missed = true;
      this.#readOn();
      return;
    }
    this.#enter(number, row);
  }

  #enter(number: number, row: OutboxRow): void {
    this.#size++;
    this.#last = number;
    if (isFailure(row.effect)) this.#untried.add(row.effect.serial);
    const target = targetOf(row.effect);
    const lane = this.#lanes.get(target);
    const entry = { number, row, attempts: 0 };
    if (lane) {
      lane.push(entry);
      if (target === xdms && lane.length > this.#parts.bounds.histories) this.#collapse(lane);
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
    this.#held = undefined;
  }

  /** D-29: report, then metadata; but no peer that does not answer keeps a document from its truth. */
  #attempt(target: string, entry: Entry): void {
    const { effect, at } = entry.row;
    const waitMs = at + this.#parts.bounds.reportFirstMs - this.#parts.clock.now();
    if (effect.type !== 'history.delete' || waitMs <= 0 || !this.#untried.has(effect.serial)) {
      this.#perform(target, entry);
      return;
    }
    const release = (): void => {
      this.#withdrawals.get(target)?.();
      this.#withdrawals.delete(target);
      this.#held = undefined;
      this.#perform(target, entry);
    };
    this.#held = { serial: effect.serial, release };
    this.#withdrawals.set(target, this.#parts.clock.after(waitMs, release));
  }

  #perform(target: string, entry: Entry): void {
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
    this.#tried(entry);
    const failed = outcome === 'retry' || outcome === 'refused';
    // Metadata is not given up, for the store knows better.
    const isKept = failed && entry.row.effect.type === 'history.rebuild';
    if (isKept || (outcome === 'retry' && entry.attempts < bounds.outboxAttempts)) {
      counters['actors.outbox.retries']++;
      this.#retry(target, entry);
      return;
    }
    if (target === xdms && outcome !== 'done') {
      if (outcome === 'changed') counters['actors.outbox.done']++;
      log.info({ account, outcome }, 'metadata is put anew from the store');
      this.#giveWay(entry);
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
    const doubled = Math.min(entry.attempts - 1, doublingsMax);
    const delay = Math.min(outboxRetryMs * 2 ** doubled, outboxRetryMaxMs);
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
    this.#size--;
    const next = lane[0];
    if (next) this.#attempt(target, next);
    else this.#lanes.delete(target);
    this.#readOn();
  }

  /** Everything of the lane gives way to one rebuild, which reads the store later than this. */
  #giveWay(entry: Entry): void {
    const lane = this.#lanes.get(xdms);
    assert(lane);
    assert.equal(lane[0], entry, 'a lane is done in order');
    this.#lanes.delete(xdms);
    this.#supersede(lane);
  }

  /** What waits behind the entry under way becomes one rebuild: the lane has a bound. */
  #collapse(lane: Entry[]): void {
    this.#supersede(lane.splice(1));
  }

  #supersede(entries: readonly Entry[]): void {
    this.#size -= entries.length;
    this.#parts.superseded(entries.map(({ number }) => number));
    this.#readOn();
  }

  #tried({ row: { effect } }: Entry): void {
    if (!isFailure(effect) || !this.#untried.delete(effect.serial)) return;
    if (this.#held?.serial === effect.serial) this.#held.release();
  }

  /** Goes on with rows that only the store has, when half of those in memory are done. */
  #readOn(): void {
    const { outboxEntries } = this.#parts.bounds;
    if (!this.#behind || this.#reading || this.#size > outboxEntries / 2) return;
    const limit = outboxEntries - this.#size;
    this.#reading = true;
    this.#missed = false;
    this.#parts.behind(this.#last, limit).then(
      (rows) => {
        this.#reading = false;
        if (this.#dropped) return;
        for (const { number, row } of rows) this.#enter(number, row);
        this.#behind = this.#missed || rows.length >= limit;
        this.#readOn();
      },
      (error: unknown) => {
        this.#reading = false;
        if (this.#dropped) return;
        const { log, account, clock, bounds } = this.#parts;
        log.warn({ err: error, account }, 'outbox not read');
        this.#withdrawals.set(
          'store',
          clock.after(bounds.outboxRetryMs, () => this.#readOn()),
        );
      },
    );
  }
}

/** Of the delay, so that it stays a number. */
const doublingsMax = 30;
const xdms = 'xdms';

type Failure = Extract<DurableEffect, { type: 'report.send' }>;

function isFailure(effect: DurableEffect): effect is Failure {
  return effect.type === 'report.send' && effect.disposition !== 'stored';
}

/** The document of metadata is one target (XCAP-10), every receiver of reports another. */
function targetOf(effect: DurableEffect): string {
  return effect.type === 'report.send' ? reportTarget(effect) : xdms;
}

/** IMDN-04: the last intermediary that wants to see reports, else whoever sent the message. */
export function reportTarget({ to, imdn }: Failure): string {
  const [last] = imdn.recordRoute ?? [];
  return last !== undefined && /^sips?:[^\s<>"]+$/i.test(last) ? last : to;
}
