/** The UAS core: requests from their arrival to the transaction user and back (RFC 3261 8.2). */

import { strict as assert } from 'node:assert';
import type { Owner, SipAnswer, SipHandler, TransactionId } from '../../ports.js';
import { WireError } from '../../wire/error.js';
import { parseCseq } from '../../wire/sip/cseq.js';
import { dialogOfRequest, updatedTarget } from '../../wire/sip/dialog.js';
import type { SipRequest } from '../../wire/sip/message.js';
import { tagOf } from '../../wire/sip/name-addr.js';
import { SerialiseError } from '../../wire/sip/serialise.js';
import { parseVia, viaWithSource, type Via } from '../../wire/sip/via.js';
import { refusalInOrder, settleInOrder } from './dialog-order.js';
import type { InviteDialog, InviteDialogs } from './dialogs.js';
import type { Flow, SipCounters } from './flow.js';
import { answeringKeep } from './keep.js';
import type { TextHash } from './keyed-hash.js';
import type { Network } from './network.js';
import type { SipSettings } from './options.js';
import { defaultPort } from './resolve.js';
import { buildResponse, copiedFields } from './response.js';
import type {
  ServerOpening,
  ServerTransaction,
  ServerTransactions,
} from './server-transactions.js';
import { grantFields, grantOf, isTooBrief, sessionRequestOf } from './session-timer.js';

export interface UasContext {
  readonly settings: SipSettings;
  readonly network: Network;
  /** Of what requests are known by. */
  readonly hash: TextHash;
  readonly servers: ServerTransactions;
  readonly dialogs: InviteDialogs;
  readonly counters: SipCounters;
  readonly handler: SipHandler;
  /** Sends the BYE that has waited for the ACK of our 2xx. */
  endDialog(dialog: InviteDialog): void;
}

type Answer = Pick<SipAnswer, 'status' | 'headers'>;

const trying: Answer = { status: 100, headers: [] };
const retryAfterSeconds = '10';

export class Uas {
  /** Requests outside a dialog are refused with 503. */
  isStopping = false;
  readonly #context: UasContext;

  constructor(context: UasContext) {
    this.#context = context;
  }

  /** Takes a request off the wire. */
  receive(request: SipRequest, flow: Flow, address: string, port: number): void {
    const arrival = this.#arrivalOf(request, flow, address, port);
    if (!arrival) {
      this.#context.counters.malformed++;
      return;
    }
    const { servers, settings } = this.#context;
    const known = servers.find(arrival.opening.key);
    if (request.method === 'ACK') this.#acknowledge(request, known);
    else if (known) servers.take(known, 'request');
    else if (servers.repeat(arrival.opening.key)) return;
    else if (servers.held >= settings.limits.serverTransactions) this.#refuse(arrival.opening);
    else {
      const transaction = servers.open(arrival.opening);
      if (request.method === 'CANCEL') this.#cancel(request, transaction, arrival.via);
      else this.#dispatch(request, transaction, { address, port });
    }
  }

  /** Answers broken input when it says to whom (8.2, 18.3), without keeping anything of it. */
  malformed(
    error: WireError,
    salvaged: SipRequest | undefined,
    flow: Flow,
    address: string,
    port: number,
  ): void {
    const { counters, settings } = this.#context;
    counters.malformed++;
    const fields = { code: error.code, hint: error.hint, address, port };
    settings.log.info(fields, 'malformed SIP message');
    if (!salvaged || salvaged.method === 'ACK') return;
    const arrival = this.#arrivalOf(salvaged, flow, address, port);
    if (arrival) this.#answerStateless(arrival.opening, { status: error.status, headers: [] });
  }

  respond(id: TransactionId, answer: SipAnswer): void {
    const transaction = this.#context.servers.pendingOf(id);
    if (transaction) this.#answer(transaction, answer);
  }

  /** Timer C of an INVITE: nobody has answered it. */
  overdue(transaction: ServerTransaction): void {
    const { id } = transaction;
    this.#answer(transaction, { status: 408, headers: [] });
    this.#context.handler.cancelled(id);
  }

  /** Undefined when the Via cannot be read: then there is nobody to answer. */
  #arrivalOf(
    request: SipRequest,
    flow: Flow,
    address: string,
    port: number,
  ): { opening: ServerOpening; via: Via } | undefined {
    try {
      const vias = viasOf(request);
      const top = vias[0];
      if (top === undefined) throw new WireError('SIP_VIA', 'no Via');
      const via = parseVia(top);
      const { keepAliveMs } = this.#context.settings.limits;
      vias[0] = answeringKeep(sourcedVia(top, via, address, port), via, flow, keepAliveMs);
      const copied = copiedFields(request);
      const sentByPort = via.port ?? defaultPort(flow.transport);
      // RFC 3581 4: with rport the answer goes to the port the request came from.
      const answerPort = flow.transport === 'udp' && via.params.has('rport') ? port : sentByPort;
      const method = request.method === 'ACK' ? 'INVITE' : request.method;
      const key = this.#context.hash.of(keyOf(request, via, method));
      return { opening: { key, request, copied, vias, flow, address, port: answerPort }, via };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const fields = { code: error.code, hint: error.hint, address, port };
      this.#context.settings.log.info(fields, 'malformed Via');
      return undefined;
    }
  }

  #dispatch(
    request: SipRequest,
    transaction: ServerTransaction,
    source: { readonly address: string; readonly port: number },
  ): void {
    const toTag = transaction.copied?.toTag;
    const refusal =
      (toTag === undefined
        ? this.#refusalOutside(request, transaction)
        : this.#refusalInside(request, transaction, toTag)) ??
      this.#refusalOfSession(request, transaction);
    if (refusal) {
      this.#answer(transaction, refusal);
      return;
    }
    if (request.method === 'BYE') this.#endPending(transaction.dialog);
    if (request.method === 'INVITE') this.#answer(transaction, trying);
    const { flow } = transaction;
    const names = flow.names?.length ? { names: flow.names } : {};
    const peer = { transport: flow.transport, ...source, ...names };
    const owner = transaction.dialog?.owner;
    const received = { request, transaction: transaction.id, peer };
    this.#context.handler.request(owner === undefined ? received : { ...received, owner });
  }

  #refusalOutside(request: SipRequest, transaction: ServerTransaction): Answer | undefined {
    const { servers, counters, dialogs, hash } = this.#context;
    const { callId, from, cseq } = transaction.copied!;
    const mergeKey = hash.of(`${callId}\n${tagOf(from) ?? ''}\n${cseq}`);
    if (!servers.isFirstOf(mergeKey, transaction)) {
      counters.merged++;
      return { status: 482, headers: [] };
    }
    if (this.isStopping || (request.method === 'INVITE' && dialogs.isFull)) {
      counters.refused++;
      return { status: 503, headers: [['Retry-After', retryAfterSeconds]] };
    }
    if (request.method !== 'INVITE') return undefined;
    try {
      dialogOfRequest(request, '-');
      return undefined;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      counters.malformed++;
      return { status: error.status, headers: [] };
    }
  }

  #refusalInside(
    request: SipRequest,
    transaction: ServerTransaction,
    toTag: string,
  ): Answer | undefined {
    const dialog = this.#dialogOf(request, toTag);
    if (!dialog) return undefined;
    return refusalInOrder(dialog, transaction, request, this.#context.settings.random);
  }

  /** RFC 4028 9: 422 says what is the least we take. */
  #refusalOfSession(request: SipRequest, transaction: ServerTransaction): Answer | undefined {
    const { method } = request;
    if (method !== 'INVITE' && (method !== 'UPDATE' || !transaction.dialog)) return undefined;
    const { sessionTimer } = this.#context.settings;
    try {
      const asked = sessionRequestOf(request);
      if (!isTooBrief(asked, sessionTimer)) {
        transaction.session = asked;
        return undefined;
      }
      return { status: 422, headers: [['Min-SE', String(sessionTimer.expiresMin)]] };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#context.counters.malformed++;
      return { status: error.status, headers: [] };
    }
  }

  /** 15.1.2: with the dialog end the requests that wait for an answer in it. */
  #endPending(dialog: InviteDialog | undefined): void {
    const invite = dialog?.pendingInvite;
    if (!invite) return;
    const { id } = invite;
    this.#answer(invite, { status: 487, headers: [] });
    this.#context.handler.cancelled(id);
  }

  #dialogOf(request: SipRequest, toTag: string): InviteDialog | undefined {
    const callId = request.header('Call-ID') ?? '';
    return this.#context.dialogs.find(callId, toTag, tagOf(request.header('From')) ?? '');
  }

  /** 9.2: 200 to the CANCEL, 487 to its INVITE unless that is answered already. */
  #cancel(request: SipRequest, transaction: ServerTransaction, via: Via): void {
    const { servers, settings, handler, hash } = this.#context;
    const invite = servers.find(hash.of(keyOf(request, via, 'INVITE')));
    if (!invite) {
      this.#answer(transaction, { status: 481, headers: [] });
      return;
    }
    invite.localTag ??= settings.random.token(10);
    this.#answer(transaction, { status: 200, headers: [], localTag: invite.localTag });
    if (!invite.request) return;
    const { id } = invite;
    this.#answer(invite, { status: 487, headers: [] });
    handler.cancelled(id);
  }

  #acknowledge(request: SipRequest, known: ServerTransaction | undefined): void {
    const { servers, dialogs, counters, handler } = this.#context;
    if (known && !servers.acknowledge(known)) return;
    const dialog = this.#dialogOf(request, tagOf(request.header('To')) ?? '');
    if (!dialog) {
      counters.strayAcks++;
      return;
    }
    if (!dialogs.acknowledge(dialog, parseCseq(request.header('CSeq') ?? '').number)) return;
    handler.acknowledged(dialog.owner);
    if (dialog.byeOrder) this.#context.endDialog(dialog);
  }

  #answer(transaction: ServerTransaction, answer: SipAnswer): void {
    const { request } = transaction;
    if (!request) return;
    const { servers, settings } = this.#context;
    const { status } = answer;
    // 100 has no tag, and must not choose that of the answer behind it.
    if (status > 100) transaction.localTag ??= answer.localTag ?? settings.random.token(10);
    const isSuccess = status >= 200 && status < 300;
    const { session } = transaction;
    const terms = isSuccess && session ? grantOf(session, settings.sessionTimer) : undefined;
    const bytes = this.#octetsOf(
      transaction,
      request,
      terms ? { ...answer, headers: [...answer.headers, ...grantFields(terms)] } : answer,
    );
    if (!bytes) return;
    if (status >= 200 && transaction.dialog) settleInOrder(transaction.dialog, transaction);
    const dialog = isSuccess ? this.#succeed(transaction, request, answer, bytes) : undefined;
    if (dialog && terms) this.#context.dialogs.agree(dialog, terms);
    servers.answer(transaction, status, bytes);
  }

  /** Octets of ours that would break the message are a mistake of ours: 500 instead. */
  #octetsOf(
    transaction: ServerTransaction,
    request: SipRequest,
    answer: SipAnswer,
  ): Buffer | undefined {
    const { vias } = transaction;
    const copied = transaction.copied!;
    const localTag = answer.status === 100 ? undefined : transaction.localTag;
    try {
      return buildResponse({ request, copied, vias, localTag, answer });
    } catch (error) {
      if (!(error instanceof SerialiseError)) throw error;
      const { method } = request;
      const fields = { code: error.code, method, status: answer.status };
      this.#context.settings.log.error(fields, 'answer that cannot be sent');
      if (answer.status >= 200 && answer.headers.length > 0) {
        this.#answer(transaction, { status: 500, headers: [] });
      }
      return undefined;
    }
  }

  #succeed(
    transaction: ServerTransaction,
    request: SipRequest,
    answer: SipAnswer,
    bytes: Buffer,
  ): InviteDialog | undefined {
    const { method } = request;
    let { dialog } = transaction;
    if (method !== 'INVITE' && method !== 'UPDATE') return undefined;
    if (dialog) dialog.value = updatedTarget(dialog.value, request);
    if (method === 'UPDATE') return dialog;
    dialog ??= this.#openDialog(request, transaction.localTag!, answer.owner);
    const { flow, address, port } = transaction;
    const cseq = parseCseq(request.header('CSeq') ?? '').number;
    dialog.describe(answer);
    dialog.heard(request);
    this.#context.dialogs.await(dialog, { bytes, flow, address, port, cseq });
    return dialog;
  }

  #openDialog(request: SipRequest, localTag: string, owner: Owner | undefined): InviteDialog {
    const { dialogs } = this.#context;
    assert(owner !== undefined, 'a 2xx to INVITE names the owner of its dialog');
    assert(!dialogs.of(owner), 'an owner has at most one INVITE dialog');
    return dialogs.add(owner, dialogOfRequest(request, localTag), 'confirmed');
  }

  #refuse(opening: ServerOpening): void {
    this.#context.counters.refused++;
    const headers = [['Retry-After', retryAfterSeconds]] as const;
    this.#answerStateless(opening, { status: 503, headers });
  }

  #answerStateless(opening: ServerOpening, answer: Answer): void {
    const { request, copied, vias, flow, address, port } = opening;
    const { network, settings } = this.#context;
    try {
      const localTag = settings.random.token(10);
      const bytes = buildResponse({ request, copied, vias, localTag, answer });
      network.reply(flow, bytes, address, port);
    } catch (error) {
      // What the peer wrote cannot be written back: there is no answer to it.
      if (!(error instanceof SerialiseError)) throw error;
    }
  }
}

/** One value for each hop; most often each stands on a line of its own. */
function viasOf(request: SipRequest): string[] {
  const lines = request.fields('Via');
  for (const line of lines) if (line.includes(',')) return [...request.list('Via')];
  return [...lines];
}

/** `viaWithSource` with short cuts for the two ways in which almost every Via is written. */
function sourcedVia(value: string, via: Via, address: string, port: number): string {
  const isPlain = via.received === undefined && !value.includes('"');
  if (isPlain && via.rport === undefined && via.host === address) return value;
  if (isPlain && via.rport === true) {
    const at = value.indexOf(';rport');
    const next = at < 0 ? '=' : value.charAt(at + ';rport'.length);
    if (next === '' || next === ';') {
      const end = at + ';rport'.length;
      return `${value.slice(0, end)}=${port};received=${address}${value.slice(end)}`;
    }
  }
  return viaWithSource(value, { address, port });
}

/** 17.2.3; without the magic cookie what RFC 2543 compares, the To tag left aside. */
function keyOf(request: SipRequest, via: Via, method: string): string {
  const sentBy = `${via.host.toLowerCase()}:${via.port ?? ''}`;
  if (via.branch?.startsWith('z9hG4bK') === true) return `${via.branch}\n${sentBy}\n${method}`;
  const fromTag = tagOf(request.header('From')) ?? '';
  const { number } = parseCseq(request.header('CSeq') ?? '');
  const callId = request.header('Call-ID') ?? '';
  return `${request.uri}\n${fromTag}\n${callId}\n${number}\n${sentBy}\n${method}`;
}
