/** The commits of one account: turns run ahead of them, effects leave behind them, in order. */

import assert from 'node:assert';
import type { Address } from '../machines/events.js';
import type { AtRest } from '../machines/index.js';
import type { AccountId, RowKey, StorePort } from '../ports.js';
import type { Admission } from './admission.js';
import { ChangeBuilder } from './change.js';

export interface CommitParts<Taken> {
  readonly account: AccountId;
  readonly store: Pick<StorePort, 'commit'>;
  /** Measures how long commits take. */
  readonly admission: Pick<Admission, 'commits' | 'committed'>;
  /** What a turn asked for may be done: everything before it is durable. */
  perform(taken: Taken): void;
  /** A commit is done, and the earliest timer that it set. */
  committed(earliestTimer: number): void;
  failed(error: unknown): void;
}

interface Batch<Taken> {
  readonly change: ChangeBuilder;
  readonly turns: Taken[];
}

/**
 * At most one commit is under way; what is decided meanwhile gathers in the next one, so that a
 * busy account commits many turns at once and never depends on the version of a pending commit.
 */
export class Commits<Taken> {
  readonly #parts: CommitParts<Taken>;
  #version: number;
  #underway: Batch<Taken> | undefined;
  #gathering: Batch<Taken> | undefined;
  /** Its commit is done, its effects are being performed; what they cause comes behind them. */
  #performing: Batch<Taken> | undefined;
  #held = false;
  #dropped = false;
  #drained: (() => void)[] | undefined;

  constructor(parts: CommitParts<Taken>, version: number) {
    this.#parts = parts;
    this.#version = version;
  }

  get isIdle(): boolean {
    return !this.#underway && !this.#gathering;
  }

  /** Turns whose effects wait. */
  get ahead(): number {
    return (this.#underway?.turns.length ?? 0) + (this.#gathering?.turns.length ?? 0);
  }

  /** What a pending commit says of a virtual UA; undefined when none says anything. */
  pending(address: Address): { readonly atRest: AtRest | undefined } | undefined {
    return this.#gathering?.change.virtualUa(address) ?? this.#underway?.change.virtualUa(address);
  }

  pendingAddresses(): Iterable<Address> {
    const underway = this.#underway?.change.virtualUas() ?? [];
    return underway.concat(this.#gathering?.change.virtualUas() ?? []);
  }

  /** Whether a row that is in the store goes with what gathers. */
  removes(key: RowKey): boolean {
    return this.#gathering?.change.removes(key) ?? false;
  }

  /** A turn that changes nothing is not written; its effects wait for those before it. */
  add(change: ChangeBuilder, taken: Taken): void {
    if (change.isEmpty) {
      const last = this.#gathering ?? this.#underway ?? this.#performing;
      if (last) last.turns.push(taken);
      else this.#parts.perform(taken);
      return;
    }
    const batch = this.#gathering;
    if (batch) {
      batch.change.merge(change);
      batch.turns.push(taken);
    } else this.#gathering = { change, turns: [taken] };
    if (!this.#held) this.#commit();
  }

  /** Gathers everything until `release`. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#commit();
  }

  /** Resolves when nothing is pending, or when it will never be. */
  drained(): Promise<void> {
    if (this.isIdle || this.#dropped) return Promise.resolve();
    return new Promise((resolve) => (this.#drained ??= []).push(resolve));
  }

  /** Forgets everything; returns the turns whose effects will never happen, in order. */
  drop(): Taken[] {
    const lost = [...(this.#underway?.turns ?? []), ...(this.#gathering?.turns ?? [])];
    this.#dropped = true;
    this.#underway = undefined;
    this.#gathering = undefined;
    this.#wakeDrained();
    return lost;
  }

  #commit(): void {
    if (this.#underway || !this.#gathering) return;
    const batch = this.#gathering;
    this.#underway = batch;
    this.#gathering = undefined;
    const { store, account, admission } = this.#parts;
    const commit = store.commit(account, this.#version, batch.change.build());
    const measured = admission.commits();
    commit.then(
      (version) => {
        admission.committed(measured);
        this.#committed(batch, version);
      },
      (error: unknown) => {
        admission.committed(measured);
        this.#failed(error);
      },
    );
  }

  #committed(batch: Batch<Taken>, version: number): void {
    // The memory of the account is gone, so nobody may hear of what it decided.
    if (this.#dropped) return;
    try {
      this.#done(batch, version);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (!this.#dropped) this.#parts.failed(error);
  }

  #done(batch: Batch<Taken>, version: number): void {
    assert.equal(this.#underway, batch);
    this.#version = version;
    this.#underway = undefined;
    if (!this.#held) this.#commit();
    this.#performing = batch;
    for (const taken of batch.turns) this.#parts.perform(taken);
    this.#performing = undefined;
    this.#parts.committed(batch.change.earliestTimer);
    if (this.isIdle) this.#wakeDrained();
  }

  #wakeDrained(): void {
    const waiting = this.#drained;
    if (!waiting) return;
    this.#drained = undefined;
    for (const resolve of waiting) resolve();
  }
}
