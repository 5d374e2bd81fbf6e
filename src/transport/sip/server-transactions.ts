/** The server transactions of an endpoint (RFC 3261 17.2, RFC 6026 8). */

import type { TransactionId } from '../../ports.js';
import type { SipRequest } from '../../wire/sip/message.js';
import type { AnsweredTransactions } from './answered-transactions.js';
import type { InviteDialog } from './dialogs.js';
import type { Flow, SipCounters } from './flow.js';
import type { HashedText } from './keyed-hash.js';
import type { Network } from './network.js';
import type { CopiedFields } from './response.js';
import type { SessionRequest } from './session-timer.js';
import type { WheelTimer } from './timer-wheel.js';
import { TransitTable } from './transit-table.js';
import type { TimedTransaction, TransactionTimers } from './transaction-timers.js';
import {
  responseInput,
  stepTransaction,
  type TransactionInput,
  type TransactionState,
} from './transaction.js';

/** What is known of a request before its transaction. */
export interface ServerOpening {
  readonly key: HashedText;
  readonly request: SipRequest;
  /** The fields an answer copies, read once. */
  readonly copied: CopiedFields;
  /** The Via values of the answers: the topmost one has the source in it. */
  readonly vias: readonly string[];
  readonly flow: Flow;
  /** Where the answers go. */
  readonly address: string;
  readonly port: number;
}

const none: readonly string[] = [];

/** One server transaction. After the final response only that response is kept. */
export class ServerTransaction implements TimedTransaction {
  readonly key: HashedText;
  /** Its number, in the text of which it is known to the transaction user. */
  readonly name: HashedText;
  readonly kind: 'inviteServer' | 'server';
  readonly flow: Flow;
  readonly address: string;
  readonly port: number;
  /** Undefined once it is finally answered. */
  request: SipRequest | undefined;
  copied: CopiedFields | undefined;
  vias: readonly string[];
  state: TransactionState = 'initial';
  repetition: WheelTimer | undefined = undefined;
  expiry: WheelTimer | undefined = undefined;
  intervalMs = 0;
  /** The To tag of the answers. */
  localTag: string | undefined = undefined;
  last: Buffer | undefined = undefined;
  /** Under which a copy of the request on another branch is recognised (8.2.2.2). */
  mergeKey: HashedText | undefined = undefined;
  dialog: InviteDialog | undefined = undefined;
  /** What an INVITE or UPDATE says of its session. */
  session: SessionRequest | undefined = undefined;
  readonly #runner: ServerTransactions;

  constructor(runner: ServerTransactions, serial: number, opening: ServerOpening) {
    this.#runner = runner;
    this.name = { text: serial.toString(36), hash: serial };
    this.key = opening.key;
    this.kind = opening.request.method === 'INVITE' ? 'inviteServer' : 'server';
    this.flow = opening.flow;
    this.address = opening.address;
    this.port = opening.port;
    this.request = opening.request;
    this.copied = opening.copied;
    this.vias = opening.vias;
  }

  get id(): TransactionId {
    return this.name.text;
  }

  get reliable(): boolean {
    return this.flow.transport !== 'udp';
  }

  expired(name: string): void {
    this.#runner.take(this, name as TransactionInput);
  }
}

/** Who hears of what a server transaction cannot settle itself. */
export interface ServerTransactionUser {
  /** An INVITE has waited too long for its final response. */
  overdue(transaction: ServerTransaction): void;
  /** A transaction got its final response or ended without one. */
  settled(): void;
}

export class ServerTransactions {
  readonly #network: Network;
  readonly #timers: TransactionTimers;
  readonly #counters: SipCounters;
  readonly #user: ServerTransactionUser;
  /** Those over UDP that only wait for Timer J; absent: they stay where they are. */
  readonly #answered: AnsweredTransactions | undefined;
  readonly #byKey = new TransitTable<ServerTransaction>();
  readonly #pending = new TransitTable<ServerTransaction>();
  readonly #merged = new TransitTable<ServerTransaction>();
  #serial = 0;

  constructor(
    network: Network,
    timers: TransactionTimers,
    counters: SipCounters,
    user: ServerTransactionUser,
    answered?: AnsweredTransactions,
  ) {
    this.#network = network;
    this.#timers = timers;
    this.#counters = counters;
    this.#user = user;
    this.#answered = answered;
  }

  get size(): number {
    return this.#byKey.size + (this.#answered?.size ?? 0);
  }

  /** Those that count for the bound. */
  get held(): number {
    return this.#byKey.size;
  }

  /** Transactions without a final response. */
  get pending(): number {
    return this.#pending.size;
  }

  find(key: HashedText): ServerTransaction | undefined {
    return this.#byKey.get(key);
  }

  /** The pending transaction of that id. */
  pendingOf(id: TransactionId): ServerTransaction | undefined {
    return this.#pending.get({ text: id, hash: Number.parseInt(id, 36) });
  }

  open(opening: ServerOpening): ServerTransaction {
    const transaction = new ServerTransaction(this, ++this.#serial, opening);
    this.#byKey.add(opening.key, transaction);
    this.#pending.add(transaction.name, transaction);
    this.take(transaction, 'start');
    return transaction;
  }

  /** Answers a retransmission of a request whose transaction waits for Timer J; false: there is none. */
  repeat(key: HashedText): boolean {
    const answered = this.#answered?.find(key);
    if (!answered) return false;
    this.#counters.absorbed++;
    this.#counters.retransmitted++;
    const { flow, response, address, port } = answered;
    this.#network.reply(flow, response, address, port);
    return true;
  }

  /** Remembers the request under its merge key; false when another branch of it is there (482). */
  isFirstOf(mergeKey: HashedText, transaction: ServerTransaction): boolean {
    if (this.#merged.get(mergeKey) || this.#answered?.hasMerged(mergeKey) === true) return false;
    this.#merged.add(mergeKey, transaction);
    transaction.mergeKey = mergeKey;
    return true;
  }

  /** Sends a response; a final one settles the transaction. */
  answer(transaction: ServerTransaction, status: number, bytes: Buffer): void {
    if (status >= 200 && transaction.request !== undefined) {
      this.#settle(transaction);
    }
    this.take(transaction, responseInput(status), bytes);
    if (status < 200) return;
    if (this.#answered) this.#archive(transaction, this.#answered);
    this.#user.settled();
  }

  #archive(transaction: ServerTransaction, answered: AnsweredTransactions): void {
    const { key, kind, state, flow, address, port, last: response, mergeKey } = transaction;
    if (kind !== 'server' || state !== 'completed' || !response) return;
    const lifeMs = this.#timers.delay(transaction, 'J');
    const kept = answered.keep({ key, mergeKey, flow, address, port, response }, lifeMs);
    if (!kept) return;
    this.#timers.stop(transaction);
    this.#forget(transaction);
  }

  /** Returns whether the ACK belongs to the transaction user. */
  acknowledge(transaction: ServerTransaction): boolean {
    const accepted = transaction.state === 'accepted';
    this.take(transaction, 'ack');
    return accepted;
  }

  take(transaction: ServerTransaction, input: TransactionInput, bytes?: Buffer): void {
    const step = stepTransaction(transaction.kind, transaction.state, input);
    if (input === 'request') this.#counters.absorbed++;
    if (!step) return;
    // 17.2.1: the refusal was never acknowledged. Nobody waits for anything, so it is only counted.
    if (input === 'timer H') this.#counters.timeouts++;
    this.#timers.move(transaction, step);
    if (transaction.state === 'terminated') this.#remove(transaction);
    for (const action of step.actions) {
      if (action === 'send' && bytes) this.#send(transaction, bytes);
      else if (action === 'resend') this.#resend(transaction);
      else if (action === 'timeout') this.#user.overdue(transaction);
    }
  }

  #send(transaction: ServerTransaction, bytes: Buffer): void {
    // A 2xx to INVITE is repeated by the core, not by the transaction (RFC 6026 7.1).
    transaction.last = transaction.state === 'accepted' ? undefined : bytes;
    this.#network.reply(transaction.flow, bytes, transaction.address, transaction.port);
  }

  #resend(transaction: ServerTransaction): void {
    if (!transaction.last) return;
    this.#counters.retransmitted++;
    this.#network.reply(transaction.flow, transaction.last, transaction.address, transaction.port);
  }

  #remove(transaction: ServerTransaction): void {
    if (!this.#forget(transaction)) return;
    if (transaction.request === undefined) return;
    this.#settle(transaction);
    this.#counters.timeouts++;
    this.#user.settled();
  }

  #forget(transaction: ServerTransaction): boolean {
    const { key, mergeKey } = transaction;
    if (mergeKey) this.#merged.delete(mergeKey, transaction);
    return this.#byKey.delete(key, transaction);
  }

  /** From the final response on nothing of the request is kept. */
  #settle(transaction: ServerTransaction): void {
    transaction.request = undefined;
    transaction.copied = undefined;
    transaction.vias = none;
    this.#pending.delete(transaction.name, transaction);
  }
}
