/** The UAC core: requests of the transaction user, their outcomes and their dialogs (8.1, 13.2). */

import type { Owner, SipHandler, SipOutgoing } from '../../ports.js';
import { WireError } from '../../wire/error.js';
import { dialogOfResponse, type SipDialog } from '../../wire/sip/dialog.js';
import type { HeaderField, SipResponse } from '../../wire/sip/message.js';
import { tagOf } from '../../wire/sip/name-addr.js';
import { Acknowledgement, ClientRequest, type ClientRequestUser } from './client-request.js';
import type { ClientTransactions } from './client-transactions.js';
import type { ByeOrder, InviteDialog, InviteDialogs } from './dialogs.js';
import { CseqOffsets } from './cseq-offsets.js';
import { isProven } from './answer-proof.js';
import { bareDialog, sentOf } from './sent-invite.js';
import { Dispatch } from './dispatch.js';
import type { SipCounters } from './flow.js';
import type { Network } from './network.js';
import type { SipSettings } from './options.js';
import { credentialsIn, dialogDraft, draftOf, type RequestDraft } from './request.js';
import { Retries } from './retries.js';
import { askFields, termsOf } from './session-timer.js';

export interface UacContext {
  readonly settings: SipSettings;
  readonly network: Network;
  readonly clients: ClientTransactions;
  readonly dialogs: InviteDialogs;
  readonly counters: SipCounters;
  readonly handler: SipHandler;
  /** A request has left the table without a transaction that says so. */
  settled(): void;
}

export class Uac implements ClientRequestUser {
  readonly clients: ClientTransactions;
  readonly #context: UacContext;
  /** INVITEs without a final response, by owner. */
  readonly #invites = new Map<Owner, ClientRequest>();
  /** Requests whose next hop is being looked up. */
  #resolving = 0;
  readonly #offsets: CseqOffsets;

  constructor(context: UacContext) {
    this.#context = context;
    this.clients = context.clients;
    this.#offsets = new CseqOffsets(context.settings.limits.dialogs);
  }

  /** Requests that are on no transaction yet. */
  get resolving(): number {
    return this.#resolving;
  }

  get invites(): number {
    return this.#invites.size;
  }

  request(outgoing: SipOutgoing): void {
    const { owner, id } = outgoing;
    const isInvite = outgoing.method === 'INVITE';
    const draft = this.#readable(() => this.#draftOf(outgoing));
    if (!draft || this.#isFull() || (isInvite && !this.#mayInvite(owner))) {
      this.#failSoon(owner, id);
      return;
    }
    // What was challenged in this dialog before has had a CSeq that its user knows nothing of.
    const cseq = draft.cseq + (outgoing.dialog ? this.#offsets.of(draft) : 0);
    const retries = this.#retriesOf(outgoing, draft);
    const opening = { ...draft, cseq };
    this.#start(this.#open(owner, id, retries?.opening(opening) ?? opening, { retries }));
  }

  bye(owner: Owner, id: string, headers: readonly HeaderField[]): void {
    const order = { id, headers };
    const invite = this.#invites.get(owner);
    const dialog = this.#context.dialogs.of(owner);
    if (invite && !invite.order) {
      invite.order = order;
      invite.cancel();
    } else if (!invite && dialog?.state === 'confirmed' && !dialog.byeOrder) {
      dialog.byeOrder = order;
      // 15: the callee's BYE waits for the ACK of its 2xx.
      if (!dialog.unacknowledged) this.endDialog(dialog);
    } else this.#failSoon(owner, id);
  }

  forget(owner: Owner): void {
    const { dialogs } = this.#context;
    const invite = this.#invites.get(owner);
    if (invite) {
      invite.isForgotten = true;
      this.#release(invite);
    }
    const dialog = dialogs.of(owner);
    if (dialog) dialogs.remove(dialog);
  }

  /** Sends the BYE that was asked for. */
  endDialog(dialog: InviteDialog): void {
    const order = dialog.byeOrder;
    dialog.state = 'ended';
    this.#context.dialogs.agree(dialog, undefined);
    const request = this.#byeOf(dialog.value, dialog.owner, order, dialog);
    if (request) this.#send(request);
    else if (order) {
      this.#context.dialogs.remove(dialog);
      this.#failSoon(dialog.owner, order.id);
    }
  }

  /** 13.3.1.4: no ACK for our 2xx. */
  abandonDialog(dialog: InviteDialog): void {
    const { owner, value, byeOrder } = dialog;
    if (byeOrder) {
      this.endDialog(dialog);
      return;
    }
    this.#context.dialogs.remove(dialog);
    this.#endUnowned(value);
    this.#context.handler.unacknowledged(owner);
  }

  /** RFC 4028 10: nobody has refreshed the session. */
  expireDialog(dialog: InviteDialog): void {
    if (dialog.state !== 'confirmed') return;
    const { owner, value, byeOrder } = dialog;
    if (byeOrder) {
      this.endDialog(dialog);
      return;
    }
    this.#context.dialogs.remove(dialog);
    this.#endUnowned(value);
    this.#context.handler.expired?.(owner);
  }

  answered(request: ClientRequest, response: SipResponse): void {
    const { status } = response;
    if (status >= 300 && this.#retried(request, response)) return;
    const isSuccess = status >= 200 && status < 300;
    if (request.method !== 'INVITE') {
      if (isSuccess && !isProven(request, response, this.#context))
        this.#fail(request, 'transport');
      else this.#answeredPlain(request, response);
    } else if (status < 200) this.#progress(request, response);
    else if (isSuccess) this.#accepted(request, response);
    else this.#ended(request, response);
  }

  failed(request: ClientRequest, cause: 'timeout' | 'transport'): void {
    if (!this.#retried(request, undefined)) this.#fail(request, cause);
  }

  #fail(request: ClientRequest, cause: 'timeout' | 'transport'): void {
    if (request.dialog) this.#context.dialogs.remove(request.dialog);
    const { owner, id, order } = request;
    const { handler } = this.#context;
    const isAwaited = !request.isForgotten && !request.isAnswered;
    this.#release(request);
    request.isForgotten = true;
    if (!isAwaited) return;
    handler.failure(owner, id, cause);
    if (order) handler.failure(owner, order.id, cause);
  }

  /** Whether the request is under way once more, so that its user has nothing to hear yet. */
  #retried(request: ClientRequest, response: SipResponse | undefined): boolean {
    const { retries, owner, id, order, dialog, isForgotten } = request;
    // A BYE of ours has to arrive even when nobody waits for its outcome.
    const isWanted = !isForgotten || request.method === 'BYE';
    if (!retries || order || !isWanted || request.isAnswered || this.#isFull()) return false;
    const { draft } = request.dispatch;
    const next = response ? retries.after(draft, response) : retries.elsewhere(draft);
    if (!next) return false;
    this.#release(request);
    const again = retries.isInside ? this.#counted(next) : next;
    const further = this.#open(owner, id, again, { retries, dialog });
    further.isForgotten = isForgotten;
    this.#start(further);
    return true;
  }

  /** Other requests of the dialog may have gone out meanwhile. */
  #counted(draft: RequestDraft): RequestDraft {
    const dialog = this.#context.dialogs.around(draft);
    if (dialog) return { ...draft, cseq: dialog.counted(draft.cseq).localCseq };
    this.#offsets.count(draft);
    return draft;
  }

  #answeredPlain(request: ClientRequest, response: SipResponse): void {
    if (request.dialog && response.status >= 200) this.#context.dialogs.remove(request.dialog);
    if (!request.isForgotten) this.#context.handler.response(request.owner, request.id, response);
  }

  /** 12.1: a provisional response with a tag opens an early dialog. */
  #progress(request: ClientRequest, response: SipResponse): void {
    if (request.isForgotten || request.isAnswered) return;
    const { dialogs, settings, handler } = this.#context;
    const { callId, localTag } = request.dispatch.draft;
    const toTag = tagOf(response.header('To'));
    const isKnown = toTag !== undefined && dialogs.find(callId, localTag, toTag) !== undefined;
    const hasRoom = !dialogs.isFull && request.early.length < settings.limits.forks;
    if (toTag !== undefined && !isKnown && hasRoom) {
      const value = this.#readable(() => dialogOfResponse(sentOf(request), response));
      if (value) request.early.push(dialogs.add(request.owner, value, 'early'));
    }
    handler.response(request.owner, request.id, response);
  }

  /** 13.2.2.4: every 2xx is acknowledged; only the first opens the dialog of the owner. */
  #accepted(request: ClientRequest, response: SipResponse): void {
    const { counters, settings, handler } = this.#context;
    const toTag = tagOf(response.header('To')) ?? '';
    const known = request.acks.get(toTag);
    if (known) {
      counters.retransmitted++;
      known.send();
      return;
    }
    if (request.acks.size >= settings.limits.forks) return;
    const value = this.#dialogOf(request, response);
    const ack = this.#acknowledge(request, value);
    if (ack) request.acks.set(toTag, ack);
    const isTrusted = isProven(request, response, this.#context);
    if (request.isAnswered || request.isForgotten || !isTrusted) {
      this.#endUnowned(value);
      if (!isTrusted && !request.isAnswered) this.#fail(request, 'transport');
      return;
    }
    request.isAnswered = true;
    const { order } = request;
    const dialog = this.#openDialog(request, value, response);
    if (order) dialog.byeOrder = order;
    handler.response(request.owner, request.id, response);
    if (order && this.#context.dialogs.of(request.owner) === dialog) this.endDialog(dialog);
  }

  /** The CANCEL or BYE that ended the INVITE has the same outcome. */
  #ended(request: ClientRequest, response: SipResponse): void {
    const { handler } = this.#context;
    const { owner, id, order } = request;
    const isAwaited = !request.isForgotten && !request.isAnswered;
    this.#release(request);
    if (!isAwaited) return;
    handler.response(owner, id, response);
    if (order) handler.response(owner, order.id, response);
  }

  #dialogOf(request: ClientRequest, response: SipResponse): SipDialog {
    const sent = sentOf(request);
    return this.#readable(() => dialogOfResponse(sent, response)) ?? bareDialog(request, response);
  }

  #openDialog(request: ClientRequest, value: SipDialog, response: SipResponse): InviteDialog {
    const { dialogs, settings } = this.#context;
    const dialog = this.#confirm(request, value);
    dialog.describe(request.dispatch.draft);
    dialog.heard(response);
    dialogs.agree(dialog, termsOf(response, settings.sessionTimer));
    return dialog;
  }

  #confirm(request: ClientRequest, value: SipDialog): InviteDialog {
    const { dialogs } = this.#context;
    const early = request.early.find((one) => one.value.remoteTag === value.remoteTag);
    if (early) request.early.splice(request.early.indexOf(early), 1);
    this.#release(request);
    if (!early) return dialogs.add(request.owner, value, 'confirmed');
    dialogs.confirm(early, value);
    return early;
  }

  #acknowledge(request: ClientRequest, value: SipDialog): Acknowledgement | undefined {
    const { settings, network } = this.#context;
    const { cseq } = request.dispatch.draft;
    const draft = this.#readable(() => dialogDraft(value, 'ACK', cseq));
    if (!draft) return undefined;
    const headers = credentialsIn(request.dispatch.draft);
    const ack = new Acknowledgement(new Dispatch({ ...draft, headers }, settings, network));
    ack.send();
    return ack;
  }

  /** BYE for a dialog that nobody owns: its outcome is of no interest. */
  #endUnowned(value: SipDialog): void {
    const request = this.#byeOf(value, '', undefined);
    if (request) this.#send(request);
  }

  #byeOf(
    value: SipDialog,
    owner: Owner,
    order: ByeOrder | undefined,
    dialog?: InviteDialog,
  ): ClientRequest | undefined {
    const bye = this.#readable(() => dialogDraft(value, 'BYE', value.localCseq + 1));
    if (!bye || this.#isFull()) return undefined;
    const plain = { ...bye, headers: order?.headers ?? [] };
    const retries = this.#insideRetries(plain.uri);
    const draft = retries?.opening(plain) ?? plain;
    const request = this.#open(owner, order?.id ?? '', draft, { retries, dialog });
    request.isForgotten = !order;
    return request;
  }

  #open(
    owner: Owner,
    id: string,
    draft: RequestDraft,
    more: {
      readonly dialog?: InviteDialog | undefined;
      readonly retries: Retries | undefined;
    },
  ): ClientRequest {
    const { settings, network } = this.#context;
    const dispatch = new Dispatch(draft, settings, network);
    return new ClientRequest(this, { owner, id, dispatch, ...more });
  }

  /** An INVITE asks for a session timer unless its user does (RFC 4028 7.1). */
  #draftOf(outgoing: SipOutgoing): RequestDraft {
    const { dialogs, settings } = this.#context;
    const { random, sessionTimer } = settings;
    const { dialog } = outgoing;
    const draft = draftOf(
      dialog ? { ...outgoing, dialog: dialogs.shared(dialog) } : outgoing,
      random,
    );
    const asks = draft.headers.some(([name]) => /^(session-expires|x)$/i.test(name));
    if (draft.method !== 'INVITE' || asks) return draft;
    return { ...draft, headers: [...draft.headers, ...askFields(sessionTimer)] };
  }

  /** Where the user counts CSeq itself, no request is sent that it does not know of. */
  #retriesOf(outgoing: SipOutgoing, { uri }: RequestDraft): Retries | undefined {
    if (outgoing.dialog) return this.#insideRetries(uri);
    if (outgoing.cseq !== undefined) return undefined;
    const { authorise, limits } = this.#context.settings;
    return new Retries({ uri, redirects: limits.redirects, authorise });
  }

  /** Inside a dialog only challenges are answered: its target is not ours to change. */
  #insideRetries(uri: string): Retries | undefined {
    const { authorise } = this.#context.settings;
    return authorise && new Retries({ uri, redirects: 0, authorise, isInside: true });
  }

  #start(request: ClientRequest): void {
    if (request.method === 'INVITE') this.#invites.set(request.owner, request);
    this.#send(request);
  }

  /** The outcome never comes before this returns. */
  #send(request: ClientRequest): void {
    this.#resolving++;
    queueMicrotask(() => {
      request.dispatch.resolve(() => {
        this.#resolving--;
        request.depart();
        this.#context.settled();
      });
    });
  }

  /** The INVITE is no longer pending; its early dialogs end with it. */
  #release(request: ClientRequest): void {
    if (this.#invites.get(request.owner) === request) this.#invites.delete(request.owner);
    for (const dialog of request.early) this.#context.dialogs.remove(dialog);
    request.early.length = 0;
  }

  #isFull(): boolean {
    const { clients, settings } = this.#context;
    const isFull = clients.size + this.#resolving >= settings.limits.clientTransactions;
    if (isFull)
      settings.log.warn({ code: 'SIP_CLIENT_FULL' }, 'client transactions at their bound');
    return isFull;
  }

  #mayInvite(owner: Owner): boolean {
    const { dialogs } = this.#context;
    return !dialogs.isFull && !this.#invites.has(owner) && !dialogs.of(owner);
  }

  #failSoon(owner: Owner, id: string): void {
    queueMicrotask(() => this.#context.handler.failure(owner, id, 'transport'));
  }

  /** Undefined when a peer's URI in it cannot be read. */
  #readable<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#context.settings.log.debug({ code: error.code }, 'unusable address in a dialog');
      return undefined;
    }
  }
}
