/** The timers of a transaction, kept on the wheel as its table says. */

import type { SipSettings } from './options.js';
import type { TimerWheel, WheelTarget } from './timer-wheel.js';
import { WheelTimer } from './timer-wheel.js';
import type {
  TimerName,
  TransactionInput,
  TransactionKind,
  TransactionState,
  TransactionStep,
} from './transaction.js';
import { stepTransaction, timerDelay } from './transaction.js';

/** A transaction as far as its timers are concerned. At most two of them run at a time. */
export interface TimedTransaction extends WheelTarget {
  readonly kind: TransactionKind;
  readonly reliable: boolean;
  state: TransactionState;
  /** A, E or G. */
  repetition: WheelTimer | undefined;
  /** The others. */
  expiry: WheelTimer | undefined;
  /** The last interval of the repetition; 0 before the first. */
  intervalMs: number;
}

export class TransactionTimers {
  readonly #wheel: TimerWheel;
  readonly #settings: SipSettings;

  constructor(wheel: TimerWheel, settings: SipSettings) {
    this.#wheel = wheel;
    this.#settings = settings;
  }

  /** Puts the transaction into the state of the step; a timer of zero ends it at once. */
  move(transaction: TimedTransaction, step: TransactionStep): void {
    const changes = transaction.state !== step.to;
    transaction.state = step.to;
    for (const timer of step.timers) this.#start(transaction, timer);
    if (transaction.state === 'terminated') {
      this.stop(transaction);
    } else if (changes) {
      this.#keepIfMeant(transaction, transaction.repetition);
      this.#keepIfMeant(transaction, transaction.expiry);
    }
  }

  /** Withdraws both. */
  stop(transaction: TimedTransaction): void {
    this.#wheel.cancel(transaction.repetition);
    this.#wheel.cancel(transaction.expiry);
  }

  /** How long a timer runs at first. */
  delay({ reliable }: TimedTransaction, timer: TimerName): number {
    const { timers, limits } = this.#settings;
    return timerDelay(timer, reliable, timers, limits.inviteMs) ?? 0;
  }

  /** Starts Timer X now, instead of the timer that would end the transaction otherwise. */
  startExpiry(transaction: TimedTransaction): void {
    this.#start(transaction, 'X');
  }

  #start(transaction: TimedTransaction, timer: TimerName): void {
    const { timers, limits } = this.#settings;
    const delay = timerDelay(timer, transaction.reliable, timers, limits.inviteMs);
    if (delay === undefined) return;
    // A cancelled INVITE keeps the time it has left, whatever provisional responses come (9.1).
    if (timer === 'C' && isSet(transaction.expiry, inputs.X)) return;
    if (delay === 0) {
      // Only D, I, J and K can be zero, and each of them leads here.
      transaction.state = 'terminated';
    } else if (timer === 'A' || timer === 'E' || timer === 'G') {
      transaction.intervalMs = this.#interval(transaction, timer, delay);
      transaction.repetition ??= new WheelTimer(transaction);
      this.#wheel.set(transaction.repetition, inputs[timer], transaction.intervalMs);
    } else {
      transaction.expiry ??= new WheelTimer(transaction);
      this.#wheel.set(transaction.expiry, inputs[timer], delay);
    }
  }

  /** Doubles; E and G up to T2; E is T2 once a provisional response has come (17.1.2.2). */
  #interval(transaction: TimedTransaction, timer: 'A' | 'E' | 'G', first: number): number {
    const { t2 } = this.#settings.timers;
    if (timer === 'E' && transaction.state === 'proceeding') return t2;
    if (transaction.intervalMs === 0) return first;
    const doubled = transaction.intervalMs * 2;
    return timer === 'A' ? doubled : Math.min(doubled, t2);
  }

  #keepIfMeant(transaction: TimedTransaction, timer: WheelTimer | undefined): void {
    if (!timer || timer.slot < 0) return;
    const input = timer.name as TransactionInput;
    if (!stepTransaction(transaction.kind, transaction.state, input)) this.#wheel.cancel(timer);
  }
}

function isSet(timer: WheelTimer | undefined, name: string): boolean {
  return timer !== undefined && timer.slot >= 0 && timer.name === name;
}

const inputs: Readonly<Record<TimerName, TransactionInput>> = {
  A: 'timer A',
  B: 'timer B',
  C: 'timer C',
  D: 'timer D',
  E: 'timer E',
  F: 'timer F',
  G: 'timer G',
  H: 'timer H',
  I: 'timer I',
  J: 'timer J',
  K: 'timer K',
  L: 'timer L',
  M: 'timer M',
  X: 'timer X',
};
