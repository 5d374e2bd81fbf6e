/** The tables of the transport, run along a path of the model, and where they differ from it. */

import type { SipTimers } from '../../../src/transport/sip/options.js';
import {
  responseInput,
  type TimerName,
  type TransactionInput,
  type TransactionState,
  type TransactionStep,
} from '../../../src/transport/sip/transaction.js';
import type { TransactionEvent, TransactionFacts } from '../../../src/machines/sip/index.js';
import { nameOf, type Kind, type Running, type Turn } from './model.js';

/** The functions of `transaction.ts`, or wrong ones in their place. */
export interface Tables {
  step(kind: Kind, state: TransactionState, input: TransactionInput): TransactionStep | undefined;
  delay(
    timer: TimerName,
    reliable: boolean,
    timers: SipTimers,
    inviteMs: number,
  ): number | undefined;
}

export interface Outcome {
  readonly to: string;
  readonly said: readonly string[];
  /** Timers that were started or, for a runner, run: `A 500`. */
  readonly timers: readonly string[];
}

/** Cells of a table: `inviteClient trying timer A`. */
export type Cells = Set<string>;

/**
 * Where the table does not do what the model did. The path ends where the two are in different
 * states or run different timers. `cells` collects what has been looked up.
 */
export function differences(
  kind: Kind,
  turns: readonly Turn[],
  tables: Tables,
  cells: Cells = new Set(),
): string[] {
  const run = new TableRun(kind, tables, cells);
  const found: string[] = [];
  for (const done of turns) {
    const seen = run.take(done.event, done);
    const started = done.started.map(timerName).sort();
    const model = { to: done.to, said: done.said, timers: started };
    const difference = compare(kind, done.from, done.event, model, seen);
    if (difference !== undefined) found.push(difference);
    if (seen.to !== done.to) break;
    const running = done.state.running.map(({ name }) => name).sort();
    if (run.running.join() !== running.join()) {
      found.push(`${kind} ${done.to}: ${running.join()} run / ${run.running.join()} run`);
      break;
    }
  }
  return found;
}

/** A sentence of what is not the same, the model first; undefined when everything is. */
export function compare(
  kind: Kind,
  from: string,
  event: TransactionEvent,
  model: Outcome,
  production: Outcome,
): string | undefined {
  const one = sentence(model, production);
  const other = sentence(production, model);
  return one === other ? undefined : `${kind} ${from}, ${nameOf(event)}: ${one} / ${other}`;
}

/** RFC 3261 says `calling` of an INVITE, the table `trying`. */
export function modelState(kind: Kind, state: TransactionState): string {
  return kind === 'inviteClient' && state === 'trying' ? 'calling' : state;
}

/** The words of the table as effects of the model. Null: nothing to see. */
function effectOf(kind: Kind, action: string, input: string): string | null {
  const isClient = kind === 'inviteClient' || kind === 'client';
  const message = isClient ? 'request' : 'response';
  switch (action) {
    case 'send':
      return `${message}.send`;
    case 'resend':
      return `${message}.repeat`;
    case 'pass':
      if (isClient) return 'response.pass';
      return input === 'ack' ? 'ack.pass' : 'request.pass';
    case 'ack':
      return 'ack.send';
    case 'timeout':
      return isClient ? 'user.timeout' : 'user.overdue';
    case 'failed':
      return 'user.failed';
    case 'cancel':
      return 'user.overdue';
    default:
      return null;
  }
}

function timerName({ name, delayMs }: Running): string {
  return `${name} ${delayMs}`;
}

function sentence({ to, said, timers }: Outcome, other: Outcome): string {
  const words = said.join(' ') === other.said.join(' ') ? [] : [said.join(' ') || '-'];
  return [to, ...words, ...timers.filter((timer) => !other.timers.includes(timer))].join(', ');
}

const repetitions: readonly string[] = ['A', 'E', 'G'];

class TableRun {
  readonly #kind: Kind;
  readonly #tables: Tables;
  readonly #cells: Cells;
  #state: TransactionState = 'initial';
  /** At most one of A, E and G runs, and one of the others. */
  #repetition: TimerName | undefined;
  #expiry: TimerName | undefined;
  #hasResponse = false;

  constructor(kind: Kind, tables: Tables, cells: Cells) {
    this.#kind = kind;
    this.#tables = tables;
    this.#cells = cells;
  }

  get running(): string[] {
    return [this.#repetition, this.#expiry].filter((name) => name !== undefined).sort();
  }

  take(event: TransactionEvent, done: Turn): Outcome {
    if (event.type === 'cancelled') return this.#begin(['X'], event.facts, [], done);
    const input = inputOf(event);
    this.#cells.add(`${this.#kind} ${this.#state} ${input}`);
    if (event.type === 'timer.fired') {
      if (this.#repetition === event.name) this.#repetition = undefined;
      if (this.#expiry === event.name) this.#expiry = undefined;
    }
    const step = this.#tables.step(this.#kind, this.#state, input);
    if (!step) return { to: modelState(this.#kind, this.#state), said: [], timers: [] };
    this.#state = step.to;
    return this.#begin(step.timers, event.facts, this.#say(step, input), done);
  }

  #say({ to, actions }: TransactionStep, input: string): string[] {
    const said: string[] = [];
    for (const action of actions) {
      const effect = effectOf(this.#kind, action, input);
      // Before the first response there is nothing to repeat.
      if (effect === 'response.repeat' && !this.#hasResponse) continue;
      if (effect === 'response.send') this.#hasResponse = to !== 'accepted';
      if (effect !== null) said.push(effect);
    }
    return said;
  }

  #begin(
    timers: readonly TimerName[],
    facts: TransactionFacts,
    said: string[],
    done: Turn,
  ): Outcome {
    const started: Running[] = [];
    for (const name of timers) {
      const delayMs = this.#tables.delay(name, facts.reliable, facts, facts.inviteMs);
      if (delayMs === undefined) continue;
      // As the runner: a cancelled INVITE gets no more time.
      if (name === 'C' && this.#expiry === 'X') continue;
      if (repetitions.includes(name)) this.#repetition = name;
      else this.#expiry = name;
      started.push({ name, delayMs: this.#interval(name, delayMs, done) });
    }
    if (!this.#isMeant(this.#repetition)) this.#repetition = undefined;
    if (!this.#isMeant(this.#expiry)) this.#expiry = undefined;
    const timersStarted = started.map(timerName).sort();
    return { to: modelState(this.#kind, this.#state), said, timers: timersStarted };
  }

  /** The table has first intervals only; the runner is held to the others. */
  #interval(name: TimerName, first: number, done: Turn): number {
    if (!repetitions.includes(name) || done.event.type !== 'timer.fired') return first;
    return done.started.find((timer) => timer.name === name)?.delayMs ?? first;
  }

  #isMeant(name: TimerName | undefined): boolean {
    if (name === undefined) return true;
    return this.#tables.step(this.#kind, this.#state, `timer ${name}`) !== undefined;
  }
}

function inputOf(event: Exclude<TransactionEvent, { type: 'cancelled' }>): TransactionInput {
  switch (event.type) {
    case 'start':
      return 'start';
    case 'request.received':
      return 'request';
    case 'ack.received':
      return 'ack';
    case 'response.received':
    case 'response.handed':
      return responseInput(event.status);
    case 'transport.failed':
      return 'transportError';
    case 'timer.fired':
      return `timer ${event.name}`;
  }
}
