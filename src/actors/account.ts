/** An account: a queue, private state, one event at a time; failure stays inside. */

import assert from 'node:assert';
import type { AccountEvent, Address, Withdrawn } from '../machines/events.js';
import type { AccountId, StorePort } from '../ports.js';
import { loadAccount } from './account-load.js';
import { AccountMemory } from './account-memory.js';
import { isInitial, transactionOf } from './account-world.js';
import type { AccountWorld, Input } from './account-world.js';
import { Digests } from './digests.js';
import { storeCode } from './store-code.js';

/**
 * What another attempt may find gone. Of a commit with an unknown outcome too: a submission that
 * is sent again is recognised if the first one was written after all (D-18).
 */
const passes: ReadonlySet<string> = new Set([
  'STORE_UNAVAILABLE',
  'STORE_STALE',
  'STORE_UNKNOWN',
  'STORE_CLOSED',
]);

/** An account that is woken comes with its timers and messages if it has fewer rows. */
const wokenRows = 64;

/** Where the queue of an account begins to be compacted. */
const compactAt = 1_024;

export class Account {
  readonly id: AccountId;
  /** For the directory: something came since it has last looked. */
  isUsed = false;
  readonly #world: AccountWorld;
  readonly #store: StorePort;
  #queue: Input[] = [];
  #first = 0;
  /** The input whose turn is being taken. */
  #current: Input | undefined;
  #memory: AccountMemory | undefined;
  /** Something is awaited: whoever comes meanwhile only queues. */
  #busy = false;
  /** We have made a mistake: nothing is done for this account until the node starts anew. */
  #stopped = false;
  #settled: (() => void)[] | undefined;

  constructor(id: AccountId, world: AccountWorld, store: StorePort) {
    this.id = id;
    this.#world = world;
    this.#store = store;
  }

  /** Inputs that wait. */
  get queued(): number {
    return this.#queue.length - this.#first;
  }

  /** False when the queue is full: nothing was taken. Only requests are ever refused so. */
  submit(input: Input): boolean {
    if (this.#stopped) {
      this.#refuse(input, 500);
      return true;
    }
    if (this.queued >= this.#world.bounds.queue && isRefusable(input)) return false;
    this.#enqueue(input);
    return true;
  }

  /** Nothing is here that the store does not have. */
  get isIdle(): boolean {
    if (this.#stopped || this.#busy || this.#current !== undefined || this.queued > 0) return false;
    return this.#memory?.isIdle ?? true;
  }

  /** Leaves memory; the next input finds the account in the store. */
  passivate(): void {
    assert(this.isIdle);
    this.#memory?.drop();
    this.#memory = undefined;
    this.#store.release(this.id);
  }

  /** EVT-04: its subscribers are to go elsewhere. */
  withdraw(event: Withdrawn): void {
    for (const to of this.#memory?.addresses() ?? []) {
      if (/^(subscription|conference)\//.test(to)) this.#tell(to, event);
    }
  }

  /** Resolves when everything that was taken is durable, or has failed. */
  async settled(): Promise<void> {
    while (!this.#stopped && !this.#isSettled) {
      await new Promise<void>((resolve) => (this.#settled ??= []).push(resolve));
    }
  }

  /** Ends sessions and timers without a word to the store: the node stops. */
  end(): void {
    this.#dropMemory(503);
    this.#stopped = true;
  }

  get #isSettled(): boolean {
    if (this.#busy || this.queued > 0) return false;
    return (this.#memory?.ahead ?? 0) === 0;
  }

  // ------------------------------------------------------------------------------- queue

  /** Takes turns while that needs no waiting. */
  #pump(): void {
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.queued > 0) {
        const waiting = this.#next();
        if (waiting === 'full') break;
        if (waiting) {
          this.#await(waiting);
          return;
        }
      }
      this.#busy = false;
    } catch (error) {
      this.#busy = false;
      this.#fail(error);
    }
    this.#tellSettled();
  }

  #next(): Promise<void> | 'full' | undefined {
    if (!this.#memory) return this.#load();
    if (this.#memory.ahead >= this.#world.bounds.ahead) return 'full';
    const input = this.#shift();
    this.#current = input;
    this.#measure(input);
    const waiting = this.#memory.take(input);
    if (waiting) return waiting.then(() => this.#taken(input));
    this.#taken(input);
    return undefined;
  }

  /** What was passed on in vain has waited for its recipient, not for us. */
  #measure(input: Input): void {
    if (!isInitial(input) || !('event' in input) || 'deferred' in input.event) return;
    const { admission, clock } = this.#world;
    admission.waited(clock.now() - input.event.at);
  }

  #await(waiting: Promise<void>): void {
    waiting
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#busy = false;
        this.#pump();
      });
  }

  #taken(input: Input): void {
    this.#current = undefined;
    if (!('done' in input)) return;
    // Whoever woke us asks the store next, so what we decided has to be there.
    const memory = this.#memory;
    if (!memory) input.done(false);
    else void memory.drained().then(() => input.done(this.#memory === memory));
  }

  #shift(): Input {
    const input = this.#queue[this.#first++];
    assert(input);
    this.#world.counters['actors.queue']--;
    if (this.#first === this.#queue.length) {
      this.#queue = [];
      this.#first = 0;
    } else if (this.#first >= compactAt && this.#first * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    return input;
  }

  #tellSettled(): void {
    const waiting = this.#settled;
    if (!waiting || !(this.#stopped || this.#isSettled)) return;
    this.#settled = undefined;
    for (const resolve of waiting) resolve();
  }

  // -------------------------------------------------------------------------------- life

  async #load(): Promise<void> {
    const { bounds, clock, counters, limits } = this.#world;
    const now = clock.now();
    const digests = new Digests({ keepMs: bounds.duplicateMs, bound: bounds.digests });
    const window = { now, keepMs: bounds.duplicateMs, bound: bounds.digests };
    // Whoever wakes it asks for most of what there is.
    const whole = this.#queue[this.#first]?.kind === 'wake' ? wokenRows : undefined;
    const store = this.#store;
    const { loaded, along } = await loadAccount(store, this.id, digests, window, whole);
    if (this.#stopped) return;
    counters['actors.loads']++;
    const parts = {
      account: this.id,
      world: this.#world,
      store,
      digests: loaded.digests,
      tell: (to: Address, event: AccountEvent) => this.#tell(to, event),
      resubmit: (input: Input) => this.#resubmit(input),
      advanced: () => this.#advanced(),
      failed: (error: unknown) => {
        if (this.#memory === memory) this.#fail(error);
      },
    };
    const memory: AccountMemory = new AccountMemory(parts, loaded);
    memory.readAlong(along);
    this.#memory = memory;
    // A restart is an event: sessions that were held in memory are gone.
    const lost = memory.addresses().map((to): Input => {
      return { kind: 'event', to, event: { type: 'session.lost', at: now, limits } };
    });
    counters['actors.queue'] += lost.length;
    this.#queue = [...lost, ...this.#queue.slice(this.#first)];
    this.#first = 0;
  }

  #tell(to: Address, event: AccountEvent): void {
    this.#enqueue({ kind: 'event', to, event });
  }

  /** First of all, so that a late answer of the user finds what it is about. */
  #resubmit(input: Input): void {
    if (this.#first > 0) this.#queue[--this.#first] = input;
    else this.#queue.unshift(input);
    this.#world.counters['actors.queue']++;
    this.#pump();
  }

  #enqueue(input: Input): void {
    // What is pushed into an empty array makes room for sixteen more.
    if (this.#queue.length === 0) this.#queue = [input];
    else this.#queue.push(input);
    this.#world.counters['actors.queue']++;
    this.#pump();
  }

  #advanced(): void {
    this.#pump();
    this.#tellSettled();
  }

  /**
   * The store has failed: what was taken is answered, and the next input finds the account as the
   * store has it. Anything else is a mistake of ours: the account stops, the node lives.
   */
  #fail(error: unknown): void {
    const { log, counters } = this.#world;
    const code = storeCode(error);
    if (code === undefined) {
      this.#stopped = true;
      counters['actors.accounts.stopped']++;
      log.error({ err: error, account: this.id }, 'account stopped');
    } else {
      counters['actors.commits.failed']++;
      log.warn({ code, account: this.id }, 'account dropped: the store has failed');
    }
    const loaded = this.#memory !== undefined;
    const status = code !== undefined && passes.has(code) ? 503 : 500;
    this.#dropMemory(status);
    // Whoever waits behind a failed commit is served after the reload; not so when that has failed.
    if (this.#stopped || !loaded) this.#refuseQueue(status);
    this.#pump();
    this.#tellSettled();
  }

  #dropMemory(status: number): void {
    const memory = this.#memory;
    this.#memory = undefined;
    const unanswered = memory?.drop() ?? [];
    for (const transaction of unanswered) this.#world.performer.refuse(transaction, status);
    const current = this.#current;
    this.#current = undefined;
    if (current) this.#refuse(current, status);
  }

  #refuseQueue(status: number): void {
    const waiting = this.#queue.slice(this.#first);
    this.#world.counters['actors.queue'] -= waiting.length;
    this.#queue = [];
    this.#first = 0;
    for (const input of waiting) this.#refuse(input, status);
  }

  #refuse(input: Input, status: number): void {
    const transaction = transactionOf(input);
    if (transaction !== undefined) this.#world.performer.refuse(transaction, status);
    if ('done' in input) input.done(false);
  }
}

/** What belongs to a session that stands must be heard; it is bounded by the session itself. */
function isRefusable(input: Input): boolean {
  return transactionOf(input) !== undefined && 'event' in input
    ? input.event.type !== 'bye.received'
    : false;
}
