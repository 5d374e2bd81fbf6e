/** Ports that do nothing by themselves: a test plays the network and sees every call. */

import assert from 'node:assert';
import type {
  AccountId,
  HistoryFacts,
  MsrpHandler,
  MsrpOutgoing,
  MsrpPort,
  Owner,
  Peer,
  SipAnswer,
  SipHandler,
  SipOutgoing,
  SipPort,
  TransactionId,
  XdmsOutcome,
  XdmsPort,
} from '../ports.js';
import type { HeaderField } from '../wire/sip/message.js';
import { parseSip } from '../wire/sip/parse.js';
import { serialiseResponse } from '../wire/sip/serialise.js';

/** What was asked of a port, in the order of the calls. */
export type PortCall =
  | { readonly call: 'respond'; readonly transaction: TransactionId; readonly answer: SipAnswer }
  | { readonly call: 'request'; readonly request: SipOutgoing }
  | {
      readonly call: 'bye';
      readonly owner: Owner;
      readonly id: string;
      readonly headers: readonly HeaderField[];
    }
  | { readonly call: 'forget'; readonly owner: Owner }
  | {
      readonly call: 'connect';
      readonly owner: Owner;
      readonly path: readonly string[];
      readonly active: boolean;
    }
  | { readonly call: 'send'; readonly message: MsrpOutgoing }
  | { readonly call: 'release'; readonly owner: Owner }
  | { readonly call: 'history.put'; readonly account: AccountId; readonly history: HistoryFacts }
  | { readonly call: 'history.delete'; readonly account: AccountId; readonly reference: string }
  | { readonly call: 'history.rebuild'; readonly account: AccountId };

export type Watch = (call: PortCall) => void;

const unwatched: Watch = () => undefined;

/** A peer on the loopback interface. */
export const loopbackPeer: Peer = { transport: 'tcp', address: '127.0.0.1', port: 5070 };

/** SIP without a network. Every call is told to `watch`, nothing is ever answered by itself. */
export class SimulatedSip implements SipPort {
  readonly host: string;
  /** Requests that wait for a final response, by owner and id. */
  readonly pending = new Map<string, SipOutgoing>();
  /** Owners that have an INVITE dialog. */
  readonly dialogs = new Set<Owner>();
  watch: Watch;
  #handler: SipHandler | undefined;
  #transactions = 0;
  readonly #open = new Set<TransactionId>();

  constructor(options: { readonly host: string; readonly watch?: Watch }) {
    this.host = options.host;
    this.watch = options.watch ?? unwatched;
  }

  start(handler: SipHandler): Promise<void> {
    this.#handler = handler;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#handler = undefined;
    return Promise.resolve();
  }

  /** Another process takes over: nothing of this one is known to it. */
  restart(): void {
    this.pending.clear();
    this.dialogs.clear();
    this.#open.clear();
  }

  contactUri(user: string, transport: Peer['transport'] = 'tcp'): string {
    return `sip:${encodeURIComponent(user)}@${this.host};transport=${transport}`;
  }

  respond(transaction: TransactionId, answer: SipAnswer): void {
    if (!this.#open.has(transaction)) return;
    if (answer.status >= 200) this.#open.delete(transaction);
    if (answer.owner !== undefined && answer.status < 300) this.dialogs.add(answer.owner);
    this.watch({ call: 'respond', transaction, answer });
  }

  request(request: SipOutgoing): void {
    this.#handlerOrThrow();
    const key = `${request.owner} ${request.id}`;
    assert(!this.pending.has(key), 'ids are unique among the pending requests of an owner');
    this.pending.set(key, request);
    this.watch({ call: 'request', request });
  }

  bye(owner: Owner, id: string, headers: readonly HeaderField[]): void {
    const invite = this.pending.delete(`${owner} invite`);
    this.watch({ call: 'bye', owner, id, headers });
    if (!this.dialogs.delete(owner) && !invite) {
      this.#handlerOrThrow().failure(owner, id, 'transport');
    }
  }

  forget(owner: Owner): void {
    this.dialogs.delete(owner);
    this.watch({ call: 'forget', owner });
  }

  /** A request comes in; returns its transaction. */
  receive(
    message: string | Buffer,
    from: { readonly peer?: Peer; readonly owner?: Owner } = {},
  ): TransactionId {
    const bytes = typeof message === 'string' ? Buffer.from(wireLines(message)) : message;
    const request = parseSip(bytes);
    assert(request.kind === 'request');
    const transaction = `t${++this.#transactions}`;
    this.#open.add(transaction);
    const peer = from.peer ?? loopbackPeer;
    const received = { request, transaction, peer };
    const { owner } = from;
    this.#handlerOrThrow().request(owner === undefined ? received : { ...received, owner });
    return transaction;
  }

  /** The response to a pending request. A 2xx to INVITE opens the dialog of its owner. */
  answer(
    owner: Owner,
    id: string,
    status: number,
    parts: { readonly headers?: readonly HeaderField[]; readonly body?: Buffer } = {},
  ): void {
    const outgoing = this.pending.get(`${owner} ${id}`);
    assert(outgoing !== undefined || id === 'bye', `no request ${id} of ${owner} is pending`);
    if (status >= 200) this.pending.delete(`${owner} ${id}`);
    const isSuccess = status >= 200 && status < 300;
    if (outgoing?.method === 'INVITE' && isSuccess) this.dialogs.add(owner);
    const response = parseSip(
      serialiseResponse({
        status,
        headers: [
          ['Via', 'SIP/2.0/TCP simulated.invalid;branch=z9hG4bK1'],
          ['From', outgoing?.from ?? '<sip:simulated.invalid>'],
          ['To', `${outgoing?.to ?? '<sip:simulated.invalid>'};tag=peer`],
          ['Call-ID', 'simulated'],
          ['CSeq', `1 ${outgoing?.method ?? 'BYE'}`],
          ...(parts.headers ?? []),
        ],
        body: parts.body,
      }),
    );
    assert(response.kind === 'response');
    this.#handlerOrThrow().response(owner, id, response);
  }

  /** No response comes to a pending request. */
  fail(owner: Owner, id: string, cause: 'timeout' | 'transport'): void {
    this.pending.delete(`${owner} ${id}`);
    this.#handlerOrThrow().failure(owner, id, cause);
  }

  /** CANCEL comes in: as an adapter does, nobody waits for the answer any more. */
  cancel(transaction: TransactionId): void {
    if (this.#open.delete(transaction)) this.#handlerOrThrow().cancelled(transaction);
  }

  acknowledge(owner: Owner): void {
    this.#handlerOrThrow().acknowledged(owner);
  }

  /** 64*T1 without ACK: as an adapter does, the dialog is forgotten. */
  missAck(owner: Owner): void {
    this.dialogs.delete(owner);
    this.#handlerOrThrow().unacknowledged(owner);
  }

  #handlerOrThrow(): SipHandler {
    assert(this.#handler, 'the port is started');
    return this.#handler;
  }
}

/** MSRP without a network. */
export class SimulatedMsrp implements MsrpPort {
  readonly host: string;
  readonly port = 2855;
  /** The reserved sessions, by owner. */
  readonly sessions = new Map<Owner, string>();
  /** Messages handed over and not answered, in order. */
  readonly pending: MsrpOutgoing[] = [];
  watch: Watch;
  readonly #sessionsMax: number;
  #handler: MsrpHandler | undefined;
  #reserved = 0;

  constructor(options: {
    readonly host: string;
    readonly watch?: Watch;
    readonly sessionsMax?: number;
  }) {
    this.host = options.host;
    this.watch = options.watch ?? unwatched;
    this.#sessionsMax = options.sessionsMax ?? Infinity;
  }

  start(handler: MsrpHandler): Promise<void> {
    this.#handler = handler;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#handler = undefined;
    return Promise.resolve();
  }

  restart(): void {
    this.sessions.clear();
    this.pending.length = 0;
  }

  reserve(owner: Owner): string {
    const known = this.sessions.get(owner);
    if (known !== undefined) return known;
    if (this.sessions.size >= this.#sessionsMax) {
      throw Object.assign(new Error('too many sessions'), { code: 'MSRP_SESSIONS_FULL' });
    }
    const uri = `msrp://${this.host}:${this.port}/session${++this.#reserved};tcp`;
    this.sessions.set(owner, uri);
    return uri;
  }

  connect(
    owner: Owner,
    remote: { readonly path: readonly string[]; readonly active: boolean },
  ): void {
    this.watch({ call: 'connect', owner, ...remote });
  }

  send(message: MsrpOutgoing): void {
    this.pending.push(message);
    this.watch({ call: 'send', message });
  }

  release(owner: Owner): void {
    if (!this.sessions.delete(owner)) return;
    for (let index = this.pending.length - 1; index >= 0; index--) {
      if (this.pending[index]!.session === owner) this.pending.splice(index, 1);
    }
    this.watch({ call: 'release', owner });
  }

  connected(owner: Owner): void {
    this.#handlerOrThrow().connected(owner);
  }

  /** The connection fails: nothing of the session is heard of again. */
  lose(owner: Owner): void {
    this.#handlerOrThrow().lost(owner, 'closed');
  }

  /**
   * A message of the peer comes in, each of `pieces` in a SEND of its own; `broken` breaks it off
   * behind them. Resolves with the status of the SEND that ends it.
   */
  async bring(
    owner: Owner,
    message: {
      readonly messageId: string;
      readonly contentType?: string;
      readonly pieces: readonly Buffer[];
      readonly broken?: 'aborted' | 'lost' | 'overrun';
    },
  ): Promise<number> {
    const { messageId, contentType, pieces, broken } = message;
    const total = pieces.reduce((sum, { length }) => sum + length, 0);
    const incoming = { messageId, contentType, headers: [], total };
    const sink = this.#handlerOrThrow().receive(owner, incoming);
    if (typeof sink === 'number') return sink;
    let offset = 0;
    for (const [index, piece] of pieces.entries()) {
      const range = `${offset + 1}-${offset + piece.length}/${total}`;
      const headers: HeaderField[] = [
        ['To-Path', this.sessions.get(owner) ?? ''],
        ['From-Path', 'msrp://192.0.2.10:7394/sender;tcp'],
        ['Message-ID', messageId],
        ['Byte-Range', range],
        ...(contentType === undefined ? [] : [['Content-Type', contentType] as const]),
      ];
      sink.chunk?.({ transactionId: `chunk${index + 1}`, headers });
      const refused = await sink.write(offset, piece);
      if (typeof refused === 'number') {
        sink.abort('overrun');
        return refused;
      }
      offset += piece.length;
    }
    if (broken === undefined) return sink.complete(total);
    sink.abort(broken);
    return 413;
  }

  /** The oldest message of a session is answered; a success is reported when that was asked for. */
  answer(session: Owner, status: number): MsrpOutgoing {
    const index = this.pending.findIndex((message) => message.session === session);
    const [message] = this.pending.splice(index, index < 0 ? 0 : 1);
    assert(message, `no message of ${session} waits`);
    this.#handlerOrThrow().sent(message.owner, message.messageId, status);
    if (message.successReport && status === 200) {
      this.#handlerOrThrow().reported(message.owner, message.messageId, 200);
    }
    return message;
  }

  #handlerOrThrow(): MsrpHandler {
    assert(this.#handler, 'the port is started');
    return this.#handler;
  }
}

/** An XDMS that takes everything, or fails as often as it is told to. */
export class SimulatedXdms implements XdmsPort {
  readonly histories = new Map<string, HistoryFacts>();
  watch: Watch;
  #failures = 0;
  #changed = false;

  constructor(options: { readonly watch?: Watch } = {}) {
    this.watch = options.watch ?? unwatched;
  }

  failNext(times: number): void {
    this.#failures = times;
  }

  /** Somebody else changes the document: the next call hears of it. */
  change(): void {
    this.#changed = true;
  }

  put(account: AccountId, history: HistoryFacts): Promise<XdmsOutcome> {
    this.watch({ call: 'history.put', account, history });
    if (this.#fails()) return unanswered();
    this.histories.set(history.reference, history);
    return this.#outcome();
  }

  delete(account: AccountId, reference: string): Promise<XdmsOutcome> {
    this.watch({ call: 'history.delete', account, reference });
    if (this.#fails()) return unanswered();
    this.histories.delete(reference);
    return this.#outcome();
  }

  async rebuild(
    account: AccountId,
    pages: () => AsyncIterable<readonly HistoryFacts[]>,
  ): Promise<void> {
    this.watch({ call: 'history.rebuild', account });
    if (this.#fails()) return unanswered();
    const found = new Map<string, HistoryFacts>();
    for await (const page of pages()) for (const one of page) found.set(one.reference, one);
    this.histories.clear();
    for (const [reference, history] of found) this.histories.set(reference, history);
  }

  #outcome(): Promise<XdmsOutcome> {
    const outcome = this.#changed ? 'changed' : 'done';
    this.#changed = false;
    return Promise.resolve(outcome);
  }

  #fails(): boolean {
    if (this.#failures === 0) return false;
    this.#failures--;
    return true;
  }
}

function unanswered(): Promise<never> {
  return Promise.reject(new Error('XDMS does not answer'));
}

/** Lines as they stand in a test become lines of the wire; an empty line ends the header fields. */
export function wireLines(text: string): string {
  return text.replaceAll(/\r?\n/g, '\r\n');
}
