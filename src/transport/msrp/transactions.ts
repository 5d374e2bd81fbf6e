/** The requests of one connection that wait for their responses (MSRP-22). */

import type { Clock } from '../../ports.js';
import type { MsrpResponseHead } from '../../wire/msrp/frame.js';
import type { Outgoing, OutgoingMessage } from './outgoing.js';

/** `chunk` of a message, the bodiless SEND that `bind`s a session, or another `request`. */
export type Transaction =
  | {
      readonly kind: 'chunk';
      readonly flow: Outgoing;
      readonly message: OutgoingMessage;
      readonly cost: number;
    }
  | { readonly kind: 'bind'; readonly flow: Outgoing }
  | { readonly kind: 'request'; done(response: MsrpResponseHead | undefined): void };

interface Entry {
  readonly transaction: Transaction;
  readonly dueAt: number;
}

/** What is told of those that are answered, and with 408 of those that are not in time. */
export type Conclude = (
  transaction: Exclude<Transaction, { kind: 'request' }>,
  status: number,
) => void;

export class Transactions {
  readonly #clock: Clock;
  readonly #responseMs: number;
  readonly #conclude: Conclude;
  readonly #entries = new Map<string, Entry>();
  #isClosed = false;
  #timer: (() => void) | undefined;

  constructor(clock: Clock, responseMs: number, conclude: Conclude) {
    this.#clock = clock;
    this.#responseMs = responseMs;
    this.#conclude = conclude;
  }

  get size(): number {
    return this.#entries.size;
  }

  add(id: string, transaction: Transaction): void {
    this.#entries.set(id, { transaction, dueAt: this.#clock.now() + this.#responseMs });
    this.#timer ??= this.#clock.after(this.#responseMs, () => this.#expire());
  }

  /** A response. One to nothing we know is passed over. */
  answered(head: MsrpResponseHead): void {
    const entry = this.#entries.get(head.transactionId);
    if (!entry) return;
    this.#entries.delete(head.transactionId);
    const { transaction } = entry;
    if (transaction.kind === 'request') transaction.done(head);
    else this.#conclude(transaction, head.status);
  }

  /** The session is gone: responses to it are for nobody. */
  drop(flow: Outgoing): void {
    for (const [id, { transaction }] of this.#entries) {
      if (transaction.kind !== 'request' && transaction.flow === flow) this.#entries.delete(id);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.();
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    for (const { transaction } of entries) {
      if (transaction.kind === 'request') transaction.done(undefined);
    }
  }

  /** They stand in the order of their time limits: one timer does for all. */
  #expire(): void {
    this.#timer = undefined;
    for (const [id, { transaction, dueAt }] of this.#entries) {
      const wait = dueAt - this.#clock.now();
      if (wait > 0) {
        this.#timer = this.#clock.after(wait, () => this.#expire());
        return;
      }
      this.#entries.delete(id);
      if (transaction.kind === 'request') transaction.done(undefined);
      else this.#conclude(transaction, 408);
      if (this.#isClosed) return;
    }
  }
}
