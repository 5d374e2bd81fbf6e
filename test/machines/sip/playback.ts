/** A path of the model played in time against a runner: the same instant, the same doings. */

import type { TransactionEvent, TransactionFacts } from '../../../src/machines/sip/index.js';
import { benchOf, makeTimers, type Bench, type MakeTimers } from './bench.js';
import { eventsOf, turn, unborn, type Kind, type ModelState, type Turn } from './model.js';
import { compare, type Outcome } from './table.js';

/** What a playback has done, for figures. */
export interface Tally {
  events: number;
  timers: number;
  ends: number;
}

/** What a runner is made of that is not right. */
export interface Wrong {
  readonly facts?: TransactionFacts;
  readonly timers?: MakeTimers;
}

export class Playback {
  readonly found: string[] = [];
  readonly #kind: Kind;
  readonly #facts: TransactionFacts;
  readonly #bench: Bench;
  readonly #tally: Tally;
  /** Running timers of the model and when they are due. */
  readonly #due = new Map<string, number>();
  #state: ModelState;
  #hasParted = false;

  constructor(kind: Kind, facts: TransactionFacts, tally: Tally, wrong: Wrong = {}) {
    this.#kind = kind;
    this.#facts = facts;
    this.#bench = benchOf(kind, wrong.facts ?? facts, wrong.timers ?? makeTimers);
    this.#tally = tally;
    this.#state = unborn(kind);
  }

  /** The two have parted, or the transaction has ended. */
  get isOver(): boolean {
    return this.#hasParted || this.#state.snapshot.status === 'done';
  }

  /** Events from outside that may come and that the runner can be told. */
  get events(): TransactionEvent[] {
    const isServer = this.#kind === 'server' || this.#kind === 'inviteServer';
    return eventsOf(this.#kind, this.#state, this.#facts).filter(
      ({ type }) => type !== 'timer.fired' && !(isServer && type === 'transport.failed'),
    );
  }

  /** An event of a path: a timer is waited for, what may not come is left out. */
  async play(event: TransactionEvent): Promise<void> {
    if (event.type === 'timer.fired') {
      const due = this.#due.get(event.name);
      if (due !== undefined) this.wait(due - this.#bench.clock.now());
    } else if (this.events.some(({ type }) => type === event.type)) await this.#tell(event);
  }

  /** Lets time pass, in steps of 10 ms, as precise as the wheel is. */
  wait(ms: number): void {
    const { clock } = this.#bench;
    const end = clock.now() + Math.ceil(ms / 10) * 10;
    for (let next = this.#nextDue(end); next !== undefined; next = this.#nextDue(end)) {
      clock.advance(next.due - clock.now());
      this.#fire(next.name);
      if (this.isOver) return;
    }
    clock.advance(end - clock.now());
  }

  async #tell(event: TransactionEvent): Promise<void> {
    this.#tally.events++;
    const done = this.#step(event);
    this.#bench.take(event);
    // The runner tells of a transport error one microtask later.
    if (event.type === 'transport.failed') await Promise.resolve();
    this.#settle(event, [done]);
  }

  #fire(name: string): void {
    this.#tally.timers++;
    const event = { type: 'timer.fired', name, facts: this.#facts } as TransactionEvent;
    this.#settle(event, [this.#step(event)]);
  }

  #step(event: TransactionEvent): Turn {
    const done = turn(this.#kind, this.#state, event);
    this.#state = done.state;
    if (event.type === 'timer.fired') this.#due.delete(event.name);
    const running = new Set<string>(done.state.running.map(({ name }) => name));
    for (const name of this.#due.keys()) if (!running.has(name)) this.#due.delete(name);
    for (const { name, delayMs } of done.started) {
      this.#due.set(name, this.#bench.clock.now() + delayMs);
    }
    return done;
  }

  /** Timers of zero fire at once; then the two are compared. */
  #settle(event: TransactionEvent, turns: Turn[]): void {
    const now = this.#bench.clock.now();
    for (let next = this.#nextDue(now); next; next = this.#nextDue(now)) {
      const fired = { type: 'timer.fired', name: next.name, facts: this.#facts };
      turns.push(this.#step(fired as TransactionEvent));
    }
    const model = {
      to: turns.at(-1)!.to,
      // That a request is fresh is known to whoever opens the transaction.
      said: turns.flatMap(({ said }) => said).filter((words) => words !== 'request.pass'),
      timers: [...this.#due].map(([name, due]) => `${name} ${due}`).sort(),
    };
    const bench = this.#bench;
    const [to, timers] = [bench.state, bench.running];
    const difference = compare(
      this.#kind,
      turns[0]!.from,
      event,
      ...timed(model, { to, said: bench.said, timers }, now),
    );
    bench.said = [];
    if (difference !== undefined) this.found.push(difference);
    this.#hasParted = model.to !== to || model.timers.join() !== timers.join();
    if (model.to === 'terminated' && !this.#hasParted) this.#tally.ends++;
  }

  #nextDue(end: number): { name: string; due: number } | undefined {
    let next: { name: string; due: number } | undefined;
    for (const [name, due] of this.#due) {
      if (due > end || (next && due > next.due)) continue;
      // Which of two timers of one instant comes first is open: no path may depend on it.
      if (next?.due === due) throw new Error(`${next.name} and ${name} fire at once`);
      next = { name, due };
    }
    return next;
  }
}

/** Timers by the time they have left, if both are in one state: otherwise the states say all. */
function timed(model: Outcome, bench: Outcome, now: number): [Outcome, Outcome] {
  const left = (one: Outcome): Outcome => ({
    ...one,
    timers: (model.to === bench.to ? one.timers : []).map(
      (timer) => `${timer.slice(0, 1)} ${Number(timer.slice(2)) - now}`,
    ),
  });
  return [left(model), left(bench)];
}
