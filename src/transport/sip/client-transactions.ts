/** The client transactions of an endpoint (RFC 3261 17.1, RFC 6026 8). */

import type { SipResponse } from '../../wire/sip/message.js';
import type { Flow, SipCounters } from './flow.js';
import type { WheelTimer } from './timer-wheel.js';
import type { TimedTransaction, TransactionTimers } from './transaction-timers.js';
import {
  responseInput,
  stepTransaction,
  type TransactionInput,
  type TransactionState,
} from './transaction.js';

/** A request as it is sent to one address. */
export interface ClientOpening {
  readonly branch: string;
  /** Of our Via; when given, a response has to come with it (18.1.2). */
  readonly sentBy?: string;
  /** The method of its CSeq. */
  readonly method: string;
  readonly bytes: Buffer;
  readonly flow: Flow;
  readonly address: string;
  readonly port: number;
  readonly user: ClientTransactionUser;
}

/** Whom a client transaction serves. */
export interface ClientTransactionUser {
  response(response: SipResponse): void;
  timeout(): void;
  /** The request did not leave. */
  transportFailed(): void;
  /** An INVITE has been pending too long: CANCEL it. */
  overdue(): void;
  /** The ACK for a final response to INVITE other than 2xx (17.1.1.3). */
  acknowledgement(response: SipResponse): Buffer;
}

export class ClientTransaction implements TimedTransaction {
  readonly key: string;
  readonly kind: 'inviteClient' | 'client';
  readonly flow: Flow;
  readonly address: string;
  readonly port: number;
  readonly sentBy: string | undefined;
  user: ClientTransactionUser;
  /** Empty once there is a final response. */
  bytes: Buffer;
  state: TransactionState = 'initial';
  repetition: WheelTimer | undefined = undefined;
  expiry: WheelTimer | undefined = undefined;
  intervalMs = 0;
  ack: Buffer | undefined = undefined;
  /** Without a final response. */
  pending = true;
  readonly #runner: ClientTransactions;

  constructor(runner: ClientTransactions, opening: ClientOpening) {
    this.#runner = runner;
    this.key = keyOf(opening.branch, opening.method);
    this.kind = opening.method === 'INVITE' ? 'inviteClient' : 'client';
    this.bytes = opening.bytes;
    this.flow = opening.flow;
    this.address = opening.address;
    this.port = opening.port;
    this.sentBy = opening.sentBy;
    this.user = opening.user;
  }

  get reliable(): boolean {
    return this.flow.transport !== 'udp';
  }

  expired(name: string): void {
    this.#runner.take(this, name as TransactionInput);
  }
}

export class ClientTransactions {
  readonly #timers: TransactionTimers;
  readonly #counters: SipCounters;
  readonly #settled: () => void;
  readonly #byKey = new Map<string, ClientTransaction>();
  #pending = 0;

  constructor(timers: TransactionTimers, counters: SipCounters, settled: () => void) {
    this.#timers = timers;
    this.#counters = counters;
    this.#settled = settled;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Transactions without a final response. */
  get pending(): number {
    return this.#pending;
  }

  start(opening: ClientOpening): ClientTransaction {
    const transaction = new ClientTransaction(this, opening);
    this.#byKey.set(transaction.key, transaction);
    this.#pending++;
    this.take(transaction, 'start');
    return transaction;
  }

  /**
   * Gives a response to its transaction; without one it is dropped (RFC 6026 8.9). So is what comes
   * with another sent-by than that of the request.
   */
  respond(branch: string, method: string, response: SipResponse, sentBy?: string): void {
    const transaction = this.#byKey.get(keyOf(branch, method));
    const isOurs = sentBy === undefined || sentBy === transaction?.sentBy?.toLowerCase();
    if (transaction && isOurs) this.take(transaction, responseInput(response.status), response);
    else this.#counters.strayResponses++;
  }

  /** Ends the transaction after 64*T1 unless a final response comes before (9.1). */
  abandon(transaction: ClientTransaction): void {
    this.#timers.startExpiry(transaction);
  }

  take(transaction: ClientTransaction, input: TransactionInput, response?: SipResponse): void {
    const step = stepTransaction(transaction.kind, transaction.state, input);
    if (!step) return;
    this.#timers.move(transaction, step);
    const { state } = transaction;
    const settles = transaction.pending && state !== 'trying' && state !== 'proceeding';
    if (settles) {
      transaction.pending = false;
      this.#pending--;
    }
    if (state === 'terminated') this.#byKey.delete(transaction.key);
    for (const action of step.actions) this.#perform(transaction, action, response);
    if (!settles) return;
    this.#letGo(transaction);
    this.#settled();
  }

  /** What only waits for Timer D, K or M keeps no body; INVITE still needs its user for ACKs. */
  #letGo(transaction: ClientTransaction): void {
    transaction.bytes = nothing;
    if (transaction.kind === 'client') transaction.user = nobody;
  }

  #perform(transaction: ClientTransaction, action: string, response?: SipResponse): void {
    const { user } = transaction;
    switch (action) {
      case 'send':
        this.#send(transaction);
        break;
      case 'resend':
        this.#counters.retransmitted++;
        this.#send(transaction);
        break;
      case 'pass':
        if (response) user.response(response);
        break;
      case 'ack':
        if (response) transaction.ack ??= user.acknowledgement(response);
        if (!transaction.ack) break;
        transaction.flow.send(transaction.ack, transaction.address, transaction.port);
        break;
      case 'timeout':
        this.#counters.timeouts++;
        user.timeout();
        break;
      case 'failed':
        user.transportFailed();
        break;
      case 'cancel':
        user.overdue();
        break;
    }
  }

  #send(transaction: ClientTransaction): void {
    const { flow, bytes, address, port } = transaction;
    flow.send(bytes, address, port, () => this.#failedLater(transaction));
  }

  /** Later, so that nobody is told of a failure while still asking for the request. */
  #failedLater(transaction: ClientTransaction): void {
    queueMicrotask(() => this.take(transaction, 'transportError'));
  }
}

const nothing = Buffer.alloc(0);

/** Wants to know nothing: of a CANCEL, or of what comes after the final response. */
export const nobody: ClientTransactionUser = {
  response: () => undefined,
  timeout: () => undefined,
  transportFailed: () => undefined,
  overdue: () => undefined,
  acknowledgement: () => nothing,
};

function keyOf(branch: string, method: string): string {
  return `${branch} ${method}`;
}
