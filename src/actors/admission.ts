/** Which requests are taken while the node has more to do than it can do in time (ADR 0016). */

import type { AccountId, Clock, TransactionId } from '../ports.js';
import { AgeOrder } from './age-order.js';
import type { Aged } from './age-order.js';
import { HeldRequests } from './held-requests.js';

/** Bounds of what is under way, and what counts as too slow. */
export interface AdmissionLimits {
  /** ms for the 95th of 100 requests from their coming in until they are durable. */
  readonly latencyMs: number;
  /** Requests a second that are taken however slow it is. */
  readonly rateMin: number;
  /** Requests that have no answer yet, of all accounts. */
  readonly requests: number;
  /** Their octets. */
  readonly octets: number;
}

export const admissionLimits: AdmissionLimits = {
  latencyMs: 2_000,
  rateMin: 100,
  requests: 50_000,
  octets: 134_217_728,
};

/** ms after which the rate is judged anew. */
const intervalMs = 100;
/** Requests without answer that are forgotten: their transactions have ended (64*T1). */
const forgottenMs = 64_000;
/** Measurements that one interval keeps; further ones take the places of earlier ones. */
const samplesMax = 512;
/** Accounts whose requests are counted. */
const countedMax = 10_000;
/** Of the rate when it was too slow, and when it was not. */
const decrease = 0.7;
const increase = 1.1;
/** Intervals in which nothing was refused before there is no rate any more. */
const calmMax = 50;
/** Requests of one account within a second that are never its fault. */
const lightMax = 4;

/** A commit under way. */
export interface MeasuredCommit extends Aged<MeasuredCommit> {
  readonly begunAt: number;
}

/**
 * A token bucket whose rate follows the measured latency: multiplied down while the 95th percentile
 * of commits and of waiting for a turn is above the bound, up while it is below, and absent while
 * there is nothing to complain of. An account that asks for more than its share is refused first.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #clock: Pick<Clock, 'now'>;
  /** Requests per second; infinite: everything is taken. */
  #rate = Infinity;
  #tokens = 0;
  #filledAt: number;
  #judgedAt: number;
  #admitted = 0;
  #refused = 0;
  #calm = 0;
  readonly #commits = new Samples();
  readonly #waits = new Samples();
  readonly #underWay = new AgeOrder<MeasuredCommit>();
  readonly #held = new HeldRequests();
  #octets = 0;
  /** Requests of this second by account. */
  #counted = new Map<AccountId, number>();
  #countedAt: number;
  /** Accounts of the second before: who comes first in a second is not alone for that. */
  #countedBefore = 0;
  readonly #counts = { rate: 0, bounds: 0, shares: 0 };

  constructor(limits: AdmissionLimits, clock: Pick<Clock, 'now'>) {
    this.#limits = limits;
    this.#clock = clock;
    const now = clock.now();
    this.#filledAt = now;
    this.#judgedAt = now;
    this.#countedAt = now;
  }

  /** Requests a second; infinite while nothing is refused for being too many. */
  get rate(): number {
    return this.#rate;
  }

  /** For metrics; a rate of 0 means that there is none. */
  counters(): Readonly<Record<`actors.admission.${string}`, number>> {
    const { rate, bounds, shares } = this.#counts;
    return {
      'actors.admission.rate': this.#rate === Infinity ? 0 : this.#rate,
      'actors.admission.requests': this.#held.size,
      'actors.admission.octets': this.#octets,
      'actors.admission.refused.rate': rate,
      'actors.admission.refused.share': shares,
      'actors.admission.refused.bound': bounds,
    };
  }

  /** False: it is to be refused, and may be sent again later. */
  admit(account: AccountId, transaction: TransactionId, octets: number): boolean {
    const now = this.#clock.now();
    if (now - this.#judgedAt >= intervalMs) this.#judge(now);
    if (!this.#hasRoom(octets)) {
      this.#counts.bounds++;
      return false;
    }
    if (!this.#hasToken(account, now)) {
      this.#refused++;
      return false;
    }
    this.#admitted++;
    this.#held.add({ transaction, at: now, octets });
    this.#octets += octets;
    return true;
  }

  /** The request has its final answer. */
  answered(transaction: TransactionId): void {
    const held = this.#held.take(transaction);
    if (held) this.#octets -= held.octets;
  }

  /** An input has waited so long for its turn. */
  waited(ms: number): void {
    this.#waits.add(ms);
  }

  /** A commit begins; whoever asks tells `committed` when it has ended, well or not. */
  commits(): MeasuredCommit {
    const commit = { begunAt: this.#clock.now(), older: undefined, newer: undefined };
    this.#underWay.add(commit);
    return commit;
  }

  committed(commit: MeasuredCommit): void {
    this.#underWay.remove(commit);
    this.#commits.add(this.#clock.now() - commit.begunAt);
  }

  /** One above the bound of octets is taken when nothing else is there: it could never go otherwise. */
  #hasRoom(octets: number): boolean {
    if (this.#held.size >= this.#limits.requests) return false;
    return this.#octets === 0 || this.#octets + octets <= this.#limits.octets;
  }

  #hasToken(account: AccountId, now: number): boolean {
    const count = this.#count(account, now);
    if (this.#rate === Infinity) return true;
    const full = this.#rate / 10 + 1;
    this.#tokens = Math.min(full, this.#tokens + ((now - this.#filledAt) * this.#rate) / 1_000);
    this.#filledAt = now;
    // The lower half of the bucket is for those who ask for little.
    const accounts = Math.max(this.#counted.size, this.#countedBefore);
    const isHeavy = count > Math.max(lightMax, this.#rate / accounts);
    if (this.#tokens < (isHeavy ? full / 2 : 1)) {
      if (isHeavy) this.#counts.shares++;
      else this.#counts.rate++;
      return false;
    }
    this.#tokens--;
    return true;
  }

  #count(account: AccountId, now: number): number {
    if (now - this.#countedAt >= 1_000) {
      this.#countedBefore = this.#counted.size;
      this.#counted = new Map();
      this.#countedAt = now;
    }
    const count = (this.#counted.get(account) ?? 0) + 1;
    if (count > 1 || this.#counted.size < countedMax) this.#counted.set(account, count);
    return count;
  }

  #judge(now: number): void {
    const seconds = (now - this.#judgedAt) / 1_000;
    const oldest = this.#underWay.oldest?.begunAt ?? now;
    const commitMs = Math.max(this.#commits.take(), now - oldest);
    const latency = commitMs + this.#waits.take();
    if (latency > this.#limits.latencyMs) {
      this.#slowDown(this.#admitted / seconds);
    } else if (this.#rate !== Infinity) {
      this.#rate *= increase;
      this.#calm = this.#refused === 0 ? this.#calm + (now - this.#judgedAt) / intervalMs : 0;
      if (this.#calm >= calmMax) this.#rate = Infinity;
    }
    this.#judgedAt = now;
    this.#admitted = 0;
    this.#refused = 0;
    this.#forget(now);
  }

  /** Too slow, while so many a second were taken. */
  #slowDown(taken: number): void {
    const { rateMin } = this.#limits;
    // As few as are always taken: it is not their number that makes it slow.
    if (this.#rate === Infinity && taken < rateMin) return;
    this.#rate = Math.max(rateMin, Math.min(this.#rate, taken) * decrease);
    this.#calm = 0;
  }

  #forget(now: number): void {
    for (let held = this.#held.oldest; held; held = this.#held.oldest) {
      if (now - held.at < forgottenMs) return;
      this.answered(held.transaction);
    }
  }
}

/** The latest measurements of one interval. */
class Samples {
  #values: number[] = [];
  #seen = 0;

  add(value: number): void {
    if (this.#values.length < samplesMax) this.#values.push(value);
    else this.#values[this.#seen % samplesMax] = value;
    this.#seen++;
  }

  /** The 95th percentile, 0 of none; the next interval begins. */
  take(): number {
    const sorted = this.#values.sort((one, other) => one - other);
    this.#values = [];
    this.#seen = 0;
    return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0;
  }
}
