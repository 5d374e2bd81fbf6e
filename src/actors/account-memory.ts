/** An account in memory, from its load until it is dropped: it takes turns, one after the other. */

import type { AccountEvent, Address } from '../machines/events.js';
import { outboxBehind, type LoadedAccount, type ReadAlong } from './account-load.js';
import { AccountWake, type AccountWakeParts } from './account-wake.js';
import { transactionOf } from './account-world.js';
import type { Input } from './account-world.js';
import { countTurn, nothing, untold } from './account-turns.js';
import type { DurableTaken, MemoryParts, Taken } from './account-turns.js';
import { ChangeBuilder } from './change.js';
import { Commits } from './commits.js';
import { subscriptionOf } from './dialog-lookup.js';
import { forgetDigests } from './forgetting.js';
import { HeldMessages } from './held-messages.js';
import { Outbox } from './outbox.js';
import type { DurableEffect } from './outbox.js';
import { hasSession } from './owner.js';
import { RestingActors } from './resting-actors.js';
import { SeenRows } from './seen-rows.js';
import { submissionTurn } from './submission-turn.js';
import { takeTurn } from './turn.js';
import type { Actor, Asked, TurnInput, TurnResult } from './turn.js';
import { VolatileTimers } from './volatile-timers.js';

type Done = Extract<TurnResult, { kind: 'done' }>;

export class AccountMemory {
  readonly #parts: MemoryParts;
  readonly #actors: Map<Address, Actor>;
  readonly #commits: Commits<Taken>;
  readonly #resting: RestingActors;
  #outbox: Outbox | undefined;
  #timers: VolatileTimers | undefined;
  readonly #held: HeldMessages;
  readonly #wake: AccountWake;
  readonly #seen: SeenRows;
  #dropped = false;
  /** A removal looks again every so often: what its last look has begun goes on. */
  #isForgetting = false;

  constructor(parts: MemoryParts, loaded: LoadedAccount) {
    const { account, world, store } = parts;
    this.#parts = parts;
    this.#actors = loaded.actors;
    this.#seen = new SeenRows(world.bounds, loaded.seen);
    this.#held = new HeldMessages(world);
    this.#commits = new Commits(
      {
        account,
        ...{ store, admission: world.admission },
        perform: (taken) => this.#perform(taken),
        committed: (earliest) => this.#committed(earliest),
        failed: (error) => parts.failed(error),
      },
      loaded.version,
    );
    this.#resting = new RestingActors({ account, store, pending: this.#commits });
    this.#wake = new AccountWake(loaded.wakeAt ?? Infinity);
    for (const { number, row } of loaded.outbox) this.#owed().take(number, row);
  }

  /** Most accounts owe nobody anything. */
  #owed(): Outbox {
    const { account, world, store } = this.#parts;
    const { clock, log, counters, bounds } = world;
    this.#outbox ??= new Outbox({
      ...{ account, clock, log, counters, bounds },
      deliver: (id, row) => world.deliver(id, row),
      finished: (number) => this.#finished(number),
      behind: (after, limit) => outboxBehind(store, account, after, limit),
      superseded: (numbers) => this.#rebuild(numbers),
    });
    return this.#outbox;
  }

  /** For one wake: what an account keeps of this counts ten thousand times. */
  #wakeParts(): AccountWakeParts {
    const { account, store, world } = this.#parts;
    const commits = this.#commits;
    return {
      ...{ account, store, world },
      drained: () => commits.drained(),
      isDropped: () => this.#dropped,
      isRemoved: (key) => commits.removes(key),
      turn: (to, event, more) =>
        this.#turn({ kind: 'event', to, event }, { to, event, at: event.at }, more),
      hold: () => commits.hold(),
      release: () => commits.release(),
      inOrder: (rows) => this.#resting.inOrder(rows),
      outboxAt: (now) => this.#outbox?.wakeAt(now) ?? Infinity,
      commit: (change) => commits.add(change, untold),
      isIdle: () => commits.isIdle,
    };
  }

  readAlong(along: ReadAlong): void {
    this.#wake.readAlong(along);
  }

  /** Turns whose effects wait for their commit. */
  get ahead(): number {
    return this.#commits.ahead;
  }

  /** Nothing is here that the store does not have. */
  get isIdle(): boolean {
    if (!this.#commits.isIdle || this.#outbox?.isQuiet === false) return false;
    if (this.#timers?.isEmpty === false) return false;
    for (const address of this.#actors.keys()) {
      if (address !== 'mailbox' && !address.startsWith('subscription/')) return false;
    }
    return true;
  }

  /** The addresses of the actors in memory. */
  addresses(): Address[] {
    return [...this.#actors.keys()];
  }

  drained(): Promise<void> {
    return this.#commits.drained();
  }

  /** Takes the turn of an input; the promise is there when something has to be read first. */
  take(input: Input): Promise<void> | undefined {
    if (input.kind === 'wake') return this.#wakeUp();
    this.#wake.isAskedFor(input);
    if (input.kind === 'rebuild') {
      // Whoever never had a mailbox has no metadata.
      if (this.#actors.has('mailbox')) this.#rebuild(nothing);
      return undefined;
    }
    if (input.kind === 'event') {
      const { to, event } = input;
      return this.#turn(input, { to, event, at: event.at });
    }
    if (input.kind === 'refresh') return this.#refresh(input);
    if (input.kind === 'invitation') {
      const event = this.#held.admitted(input);
      return this.#turn(input, { to: 'mailbox', event, at: event.at });
    }
    const { serials, counters } = this.#parts.world;
    const block = serials.offer();
    if (!block) return serials.ready().then(() => (this.#dropped ? undefined : this.take(input)));
    const { digests } = this.#parts;
    const parts = { digests, held: this.#held, counters };
    return this.#turn(input, submissionTurn(input, block, parts));
  }

  /**
   * Forgets everything, ends the sessions, and returns the transactions that nobody will answer any
   * more.
   */
  drop(): string[] {
    this.#dropped = true;
    this.#timers?.clear();
    this.#outbox?.drop();
    const unanswered: string[] = [];
    const sessions = new Set<Address>(this.#actors.keys());
    for (const { effects, transaction } of this.#commits.drop()) {
      if (transaction !== undefined) unanswered.push(transaction);
      for (const { by, effect } of effects) {
        sessions.add(by);
        if ('transaction' in effect) unanswered.push(effect.transaction);
      }
    }
    for (const { event } of this.#held.clear()) unanswered.push(event.transaction);
    const { account, world } = this.#parts;
    for (const address of sessions) {
      if (hasSession(address)) world.performer.abandon(account, address);
    }
    this.#actors.clear();
    return unanswered;
  }

  // ------------------------------------------------------------------------------- turns

  #wakeUp(): Promise<void> {
    return this.#wake.run(this.#wakeParts()).finally(() => this.#resting.rest());
  }

  #armed(): VolatileTimers {
    const { clock } = this.#parts.world;
    this.#timers ??= new VolatileTimers(clock, (to, name) => this.#expired(to, name));
    return this.#timers;
  }

  #refresh(input: Extract<Input, { kind: 'refresh' }>): Promise<void> | undefined {
    const { event } = input;
    const to = subscriptionOf(this.#actors, event.dialog);
    if (to !== undefined) return this.#turn(input, { to, event, at: event.at });
    this.#parts.world.performer.refuse(event.transaction, 481);
    return undefined;
  }

  #turn(input: Input, asked: TurnInput, more?: ChangeBuilder): Promise<void> | undefined {
    const { world, account } = this.#parts;
    const limits = world.limitsOf(account, asked.event.limits);
    if (limits === asked.event.limits) return this.#run(input, asked, more);
    return this.#run(input, { ...asked, event: { ...asked.event, limits } }, more);
  }

  #run(input: Input, turn: TurnInput, more?: ChangeBuilder): Promise<void> | undefined {
    const { world } = this.#parts;
    const { steps, duplicateMs } = world.bounds;
    const { limits } = turn.event;
    const seen = { actors: this.#actors, read: this.#resting, limits, steps, duplicateMs };
    const result = takeTurn(seen, turn);
    if (result.kind === 'done') {
      world.counters['actors.turns']++;
      this.#resting.turned();
      this.#adopt(input, turn, result, more);
      return undefined;
    }
    world.counters['actors.reruns']++;
    const taken = (): Promise<void> | undefined =>
      this.#dropped ? undefined : this.#run(input, turn, more);
    return this.#resting.read(result.addresses).then(taken);
  }

  #adopt(input: Input, turn: TurnInput, result: Done, more: ChangeBuilder | undefined): void {
    const { world } = this.#parts;
    for (const { address, actor } of result.actors.values()) {
      if (actor) this.#actors.set(address, actor);
      else if (this.#actors.delete(address) && hasSession(address)) this.#resting.rest();
    }
    countTurn(world.counters, result);
    world.turns?.record({ account: this.#parts.account, at: turn.at, told: result.told });
    const transaction = transactionOf(input);
    if (!result.handled && transaction !== undefined) {
      // RFC 3261 12.2.2: a request for a dialog that does not exist.
      world.performer.refuse(transaction, turn.to === 'mailbox' ? 500 : 481);
    }
    const change = more ?? result.change;
    if (more) more.merge(result.change);
    if ('payload' in input && change.keepsContent) {
      const { digests } = this.#parts;
      const since = input.kind === 'imported' ? input.event.imported.receivedAt : turn.at;
      digests.add(input.event.message.digest, since, world.clock.now());
    }
    const durable: DurableTaken[] = [];
    if (input.kind === 'message' || input.kind === 'invitation') {
      this.#held.holdForwarded(input, result.effects);
    }
    const effects = this.#sort(result.effects, durable, change, turn.at);
    this.#add(change, {
      effects,
      durable: durable.length === 0 ? nothing : durable,
      transaction,
      asked: 'asked' in input ? input.asked : undefined,
    });
  }

  /** Does what concerns memory alone, makes rows of durable effects; the rest waits. */
  #sort(
    asked: readonly Asked[],
    durable: DurableTaken[],
    change: ChangeBuilder,
    at: number,
  ): Asked[] {
    const { world } = this.#parts;
    const effects: Asked[] = [];
    for (const one of asked) {
      const { by, effect } = one;
      switch (effect.type) {
        case 'timer.set':
          this.#armed().set(by, effect.name, effect.at);
          break;
        case 'timer.cancel':
          this.#timers?.cancel(by, effect.name);
          break;
        case 'serials.take':
          world.serials.take(effect);
          break;
        case 'history.put':
        case 'history.delete':
          if (world.externalXdms) durable.push(this.#durable(effect, change, at));
          break;
        case 'report.send':
          durable.push(this.#durable(effect, change, at));
          break;
        case 'message.defer':
          this.#parts.resubmit(this.#held.deferred(by, effect.late, world.clock.now()));
          break;
        case 'account.forget':
          if (this.#isForgetting) break;
          this.#isForgetting = true;
          void this.#forget().catch((error: unknown) => this.#parts.failed(error));
          break;
        case 'message.passed':
          this.#held.rememberPassed(by, this.#parts.digests, world.clock.now());
          break;
        case 'stop':
          this.#timers?.cancelAll(by);
          effects.push(one);
          break;
        default:
          effects.push(one);
      }
    }
    return effects;
  }

  #durable(effect: DurableEffect, change: ChangeBuilder, at: number): DurableTaken {
    const number = this.#owed().number();
    const row = { effect, at, token: this.#parts.world.random.token(16) };
    change.put(['outbox', number], row);
    return { number, row };
  }

  #add(change: ChangeBuilder, taken: Taken): void {
    const { clock, bounds } = this.#parts.world;
    const isOwed = taken.durable.length > 0;
    this.#wake.expect(change, isOwed ? clock.now() + bounds.outboxWakeMs : Infinity);
    this.#seen.turnOver(change, clock.now());
    this.#resting.altered(change);
    this.#commits.add(change, taken);
  }

  // ------------------------------------------------------------------------------- after

  #perform({ effects, durable, asked }: Taken): void {
    const { account, world } = this.#parts;
    for (const { by, effect } of effects) {
      const parts = effect.type === 'sip.forward' ? this.#held.submissionOf(by) : asked;
      world.performer.perform(account, by, effect, parts);
      if (effect.type === 'stop') this.#held.release(by);
    }
    for (const { number, row } of durable) this.#owed().take(number, row);
  }

  #committed(earliest: number): void {
    const { world } = this.#parts;
    world.counters['actors.commits']++;
    if (earliest < Infinity) world.wakeAt(earliest);
    this.#parts.advanced();
  }

  #finished(number: number): void {
    const change = new ChangeBuilder();
    change.remove(['outbox', number]);
    this.#add(change, untold);
  }

  /** Puts the metadata anew, in place of these rows. */
  #rebuild(numbers: readonly number[]): void {
    const change = new ChangeBuilder();
    for (const number of numbers) change.remove(['outbox', number]);
    const at = this.#parts.world.clock.now();
    const durable = [this.#durable({ type: 'history.rebuild' }, change, at)];
    this.#add(change, { ...untold, durable });
  }

  #expired(to: Address, name: string): void {
    const { world } = this.#parts;
    const at = world.clock.now();
    // Names of timers belong to the machine that has set them.
    this.#parts.tell(to, { type: 'timer.expired', at, name, limits: world.limits } as AccountEvent);
  }

  /** Of a removed account: the digests of its messages; then its mailbox hears of it. */
  async #forget(): Promise<void> {
    const { account, store, digests, world } = this.#parts;
    await forgetDigests(store, account, {
      drained: () => this.drained(),
      commit: (change) => this.#add(change, untold),
      isDropped: () => this.#dropped,
    });
    this.#isForgetting = false;
    if (this.#dropped) return;
    digests.clear();
    const { clock, limits } = world;
    this.#parts.tell('mailbox', { type: 'account.forgotten', at: clock.now(), limits });
    this.#parts.resubmit({ kind: 'wake', done: () => undefined });
  }
}
