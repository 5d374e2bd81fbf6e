/** Requests that drachtio hands to us, and our answers to them. */

import { strict as assert } from 'node:assert';
import type { Owner, SipAnswer, SipHandler, TransactionId } from '../../ports.js';
import { WireError } from '../../wire/error.js';
import { dialogOfRequest } from '../../wire/sip/dialog.js';
import type { HeaderField, SipRequest } from '../../wire/sip/message.js';
import { tagOf } from '../../wire/sip/name-addr.js';
import { reasonPhrase } from '../../wire/sip/reason.js';
import { SerialiseError } from '../../wire/sip/serialise.js';
import { formatWarning } from '../../wire/sip/warning.js';
import type { ControlConnection } from './control.js';
import type { InviteDialog, InviteDialogs } from './dialogs.js';
import { DrachtioError } from './error.js';
import type { DrachtioSettings } from './options.js';
import { peerOf, type SrfAnswer, type SrfRequest, type SrfSentAnswer } from './srf.js';
import { bodyText, checkSize, headersOf, readText } from './text.js';

export interface UasContext {
  readonly settings: DrachtioSettings;
  readonly handler: SipHandler;
  readonly control: ControlConnection;
  readonly dialogs: InviteDialogs;
  /** Sends the BYE that has waited for the ACK of our 200. */
  endDialog(dialog: InviteDialog): void;
  /** A transaction may have been the last pending one. */
  settled(): void;
}

interface ServerTransaction {
  readonly id: TransactionId;
  readonly request: SipRequest;
  readonly received: SrfRequest;
  readonly answer: SrfAnswer;
  readonly withdraw: () => void;
  localTag: string | undefined;
}

type Refusal = Pick<SipAnswer, 'status' | 'headers'>;

const retryAfter: readonly HeaderField[] = [['Retry-After', '10']];

export class Uas {
  /** Requests outside a dialog are refused with 503. */
  isStopping = false;
  readonly #context: UasContext;
  readonly #pending = new Map<TransactionId, ServerTransaction>();
  /** Answers the server has not confirmed. */
  #answering = 0;
  /** Counts the connections that were lost. */
  #losses = 0;
  #count = 0;

  constructor(context: UasContext) {
    this.#context = context;
  }

  /** Requests without a final answer, and answers on their way to the server. */
  get pending(): number {
    return this.#pending.size + this.#answering;
  }

  receive(received: SrfRequest, answer: SrfAnswer): void {
    const request = this.#read(received, answer);
    if (!request) return;
    if (received.method === 'ACK') {
      this.#acknowledge(request, received.stackDialogId);
      return;
    }
    const dialog = this.#dialogOf(request, received);
    if (received.source === 'application') {
      this.#endedByServer(request, received, dialog);
      return;
    }
    const refusal = this.#refusalOf(request, dialog);
    if (refusal) this.#send(answer, refusal);
    else this.#deliver(request, this.#open(request, received, answer), received, dialog?.owner);
  }

  respond(id: TransactionId, answer: SipAnswer): void {
    const transaction = this.#pending.get(id);
    if (!transaction) return;
    const { localTag: wanted, status, owner } = answer;
    transaction.localTag ??= wanted ?? this.#context.settings.random.token(10);
    if (status >= 200) this.#close(transaction);
    const isNew = tagOf(transaction.request.header('To')) === undefined;
    const isSuccess = status >= 200 && status < 300;
    const opens = isNew && isSuccess && transaction.request.method === 'INVITE';
    const dialog = opens ? this.#openDialog(transaction, owner) : undefined;
    const headers = isNew && status > 100 ? this.#tagged(transaction, answer) : answer.headers;
    this.#send(transaction.answer, { ...answer, headers }, (error, sent) => {
      if (!dialog) return;
      dialog.stackDialogId ??= transaction.answer.stackDialogId;
      const tag = tagOf(sent?.get('To'));
      if (tag !== undefined) this.#context.dialogs.retag(dialog, tag);
      if (error !== undefined) this.#unacknowledged(dialog, 'transport');
    });
  }

  /** The control connection is gone: nobody can be answered any more. */
  lost(): void {
    this.#losses++;
    this.#answering = 0;
    for (const transaction of [...this.#pending.values()]) {
      this.#close(transaction);
      if (transaction.request.method === 'INVITE') {
        this.#context.handler.cancelled(transaction.id);
      }
    }
  }

  /** An identifier of no transaction that could be answered. */
  draw(): TransactionId {
    return `drachtio-${++this.#count}`;
  }

  /** Undefined when the request was refused here. */
  #read(received: SrfRequest, answer: SrfAnswer): SipRequest | undefined {
    try {
      const { message, isDamaged } = readText(received.raw);
      if (message.kind !== 'request') throw new WireError('SIP_START_LINE', 'no request');
      if (!isDamaged) return message;
      this.#log('DRACHTIO_BODY', 'a body that is no text is refused');
      if (received.method !== 'ACK') this.#send(answer, damagedAnswer(message));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#log(error.code, 'malformed SIP request');
      if (received.method !== 'ACK') this.#send(answer, { status: error.status, headers: [] });
    }
    return undefined;
  }

  #refusalOf(request: SipRequest, dialog: InviteDialog | undefined): Refusal | undefined {
    const { dialogs, settings } = this.#context;
    if (this.pending >= settings.limits.serverTransactions) {
      this.#log('DRACHTIO_FULL', 'server transactions at their bound');
      return { status: 503, headers: retryAfter };
    }
    if (dialog) return undefined;
    const isInvite = request.method === 'INVITE';
    if (this.isStopping || (isInvite && dialogs.isFull)) {
      return { status: 503, headers: retryAfter };
    }
    if (!isInvite) return undefined;
    try {
      dialogOfRequest(request, '-');
      return undefined;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { status: error.status, headers: [] };
    }
  }

  #open(request: SipRequest, received: SrfRequest, answer: SrfAnswer): TransactionId {
    const { clock, limits } = this.#context.settings;
    const id = this.draw();
    const withdraw = clock.after(limits.answerMs, () => {
      this.respond(id, { status: 408, headers: [] });
      if (request.method === 'INVITE') this.#context.handler.cancelled(id);
    });
    const transaction = { id, request, received, answer, withdraw, localTag: undefined };
    this.#pending.set(id, transaction);
    if (request.method === 'INVITE') {
      // The server has answered 200 to the CANCEL and 487 to the INVITE.
      received.on('cancel', () => {
        if (!this.#pending.has(id)) return;
        this.#close(transaction);
        this.#context.handler.cancelled(id);
      });
    }
    return id;
  }

  #deliver(
    request: SipRequest,
    transaction: TransactionId,
    received: SrfRequest,
    owner: Owner | undefined,
  ): void {
    const facts = { request, transaction, peer: peerOf(received) };
    this.#context.handler.request(owner === undefined ? facts : { ...facts, owner });
  }

  #acknowledge(request: SipRequest, stackDialogId: string | undefined): void {
    const dialog = this.#context.dialogs.find(...tagsOf(request, 'To', 'From'));
    if (!dialog?.isUnacknowledged) return;
    dialog.stackDialogId ??= stackDialogId;
    dialog.isUnacknowledged = false;
    dialog.withdraw();
    this.#context.handler.acknowledged(dialog.owner);
    if (dialog.byeOrder) this.#context.endDialog(dialog);
  }

  /** The server has sent BYE itself: 64*T1 without ACK, or the end of a session timer. */
  #endedByServer(
    request: SipRequest,
    received: SrfRequest,
    dialog: InviteDialog | undefined,
  ): void {
    // A BYE of ours that crosses it has an outcome of its own.
    if (!dialog || dialog.isEnded) return;
    if (dialog.isUnacknowledged) this.#unacknowledged(dialog, 'timeout');
    // To its owner it is as good as the BYE of the peer; the answer to it is dropped.
    else this.#deliver(request, this.draw(), received, dialog.owner);
  }

  #unacknowledged(dialog: InviteDialog, cause: 'timeout' | 'transport'): void {
    const { dialogs, handler } = this.#context;
    if (dialogs.of(dialog.owner) !== dialog) return;
    dialogs.remove(dialog);
    const { owner, byeOrder } = dialog;
    if (byeOrder) handler.failure(owner, byeOrder.id, cause);
    else handler.unacknowledged(owner);
  }

  #openDialog(transaction: ServerTransaction, owner: Owner | undefined): InviteDialog {
    const { dialogs, settings } = this.#context;
    const { request, received, localTag } = transaction;
    assert(owner !== undefined, 'a 2xx to INVITE names the owner of its dialog');
    assert(!dialogs.of(owner), 'an owner has at most one INVITE dialog');
    const value = dialogOfRequest(request, localTag!);
    const dialog = dialogs.add({ ...value, owner, peer: peerOf(received) });
    dialog.isUnacknowledged = true;
    dialog.withdraw = settings.clock.after(settings.limits.ackMs, () => {
      this.#unacknowledged(dialog, 'timeout');
    });
    return dialog;
  }

  #dialogOf(request: SipRequest, { source }: SrfRequest): InviteDialog | undefined {
    const { dialogs } = this.#context;
    // What the server sends on its own comes from our side of the dialog.
    if (source === 'application') return dialogs.find(...tagsOf(request, 'From', 'To'));
    return dialogs.find(...tagsOf(request, 'To', 'From'));
  }

  #tagged({ request, localTag }: ServerTransaction, answer: SipAnswer): readonly HeaderField[] {
    return [...answer.headers, ['To', `${request.header('To') ?? ''};tag=${localTag!}`]];
  }

  #close(transaction: ServerTransaction): void {
    transaction.withdraw();
    this.#pending.delete(transaction.id);
  }

  #send(
    to: SrfAnswer,
    answer: SipAnswer,
    done: (error?: unknown, sent?: SrfSentAnswer) => void = () => undefined,
  ): void {
    const { control, settings } = this.#context;
    const { status } = answer;
    const reason = answer.reason ?? reasonPhrase(status);
    let body: string | undefined;
    let headers: Record<string, string>;
    try {
      headers = headersOf(answer.headers);
      if (answer.body && answer.body.length > 0) body = bodyText(answer.body);
      checkSize(reason, headers, answer.body, settings.limits.frameBytes);
    } catch (error) {
      if (!(error instanceof DrachtioError || error instanceof SerialiseError)) throw error;
      settings.log.error({ code: error.code, status }, 'answer that cannot be sent');
      this.#send(to, { status: status < 200 ? status : 500, headers: [] }, () => done(error));
      return;
    }
    const confirmed = control.expect();
    this.#answering++;
    const losses = this.#losses;
    let isSettled = false;
    const settle = (error: unknown, sent?: SrfSentAnswer): void => {
      confirmed();
      if (isSettled || losses !== this.#losses) return;
      isSettled = true;
      this.#answering--;
      const failed = error === null || error === undefined ? undefined : error;
      if (failed !== undefined) this.#log('DRACHTIO_REFUSED', 'an answer could not be sent');
      done(failed, sent);
      this.#context.settled();
    };
    try {
      to.send(status, reason, body === undefined ? { headers } : { headers, body }, settle);
    } catch (error) {
      // drachtio-srf throws on a status it does not know and on a socket that has closed.
      queueMicrotask(() => settle(error));
    }
  }

  #log(code: string, text: string): void {
    this.#context.settings.log.debug({ code }, text);
  }
}

/** Call-ID, local tag and remote tag, seen from the side of that header field. */
function tagsOf(request: SipRequest, local: string, remote: string): [string, string, string] {
  const callId = request.header('Call-ID') ?? '';
  return [callId, tagOf(request.header(local)) ?? '', tagOf(request.header(remote)) ?? ''];
}

/** 21.4.13, 21.4.26: a type that cannot be carried, or an offer that cannot be read. */
function damagedAnswer({ method }: SipRequest): Refusal {
  const text = 'the body is not UTF-8 text';
  const warning: HeaderField = ['Warning', formatWarning({ code: 399, agent: '-', text })];
  if (method === 'INVITE') return { status: 488, headers: [warning] };
  return { status: 415, headers: [['Accept', '*/*;charset=utf-8'], warning] };
}
