/** Our requests through drachtio: their outcomes and the dialogs they open. */

import type { Owner, SipHandler, SipOutgoing } from '../../ports.js';
import { WireError } from '../../wire/error.js';
import type { HeaderField, SipResponse } from '../../wire/sip/message.js';
import { tagOf, uriOf } from '../../wire/sip/name-addr.js';
import { SerialiseError } from '../../wire/sip/serialise.js';
import type { ControlConnection } from './control.js';
import type { ByeOrder, InviteDialog, InviteDialogs } from './dialogs.js';
import { DrachtioError } from './error.js';
import type { DrachtioSettings } from './options.js';
import { outgoingText, type OutgoingText } from './outgoing.js';
import { peerOf, type SrfSent } from './srf.js';
import { headersOf, readText, withoutBody } from './text.js';

export interface UacContext {
  readonly settings: DrachtioSettings;
  readonly handler: SipHandler;
  readonly control: ControlConnection;
  readonly dialogs: InviteDialogs;
  /** A transaction may have been the last pending one. */
  settled(): void;
}

type SrfResponse = Parameters<Parameters<SrfSent['on']>[1]>[0];

interface ClientRequest {
  readonly owner: Owner;
  readonly id: string;
  /** Of an INVITE. */
  readonly text: OutgoingText | undefined;
  /** The dialog that ends with this BYE. */
  readonly dialog: InviteDialog | undefined;
  withdraw: () => void;
  sent: SrfSent | undefined;
  order: ByeOrder | undefined;
  /** Its outcome is of no interest. */
  isForgotten: boolean;
}

/** The server puts the remote target of the dialog here. */
const placeholder = 'sip:placeholder';

export class Uac {
  readonly #context: UacContext;
  readonly #pending = new Set<ClientRequest>();
  /** INVITEs without a final response, by owner. */
  readonly #invites = new Map<Owner, ClientRequest>();

  constructor(context: UacContext) {
    this.#context = context;
  }

  get pending(): number {
    return this.#pending.size;
  }

  get invites(): number {
    return this.#invites.size;
  }

  request(outgoing: SipOutgoing): void {
    const { owner, id, method } = outgoing;
    const { random, limits } = this.#context.settings;
    const isInvite = method === 'INVITE';
    const text = this.#carried(() => outgoingText(outgoing, random, limits.frameBytes));
    if (!text || this.#isFull() || (isInvite && !this.#mayInvite(owner))) {
      this.#failSoon(owner, id);
      return;
    }
    const request = this.#open(owner, id, { text: isInvite ? text : undefined });
    if (isInvite) this.#invites.set(owner, request);
    this.#send(request, text.uri, text.options);
  }

  bye(owner: Owner, id: string, headers: readonly HeaderField[]): void {
    const order = { id, headers };
    const invite = this.#invites.get(owner);
    const dialog = this.#context.dialogs.of(owner);
    if (invite && !invite.order) {
      invite.order = order;
      if (invite.sent) this.#cancel(invite.sent, headers);
    } else if (!invite && dialog && !dialog.isEnded && !dialog.byeOrder) {
      dialog.byeOrder = order;
      // 15: the callee's BYE waits for the ACK of its 2xx.
      if (!dialog.isUnacknowledged) this.endDialog(dialog);
    } else this.#failSoon(owner, id);
  }

  forget(owner: Owner): void {
    const invite = this.#invites.get(owner);
    if (invite) {
      invite.isForgotten = true;
      this.#invites.delete(owner);
    }
    const dialog = this.#context.dialogs.of(owner);
    if (dialog) this.#context.dialogs.remove(dialog);
  }

  /** Sends the BYE that was asked for. */
  endDialog(dialog: InviteDialog): void {
    const { owner, byeOrder, stackDialogId } = dialog;
    dialog.isEnded = true;
    const headers = this.#carried(() => headersOf(byeOrder?.headers ?? []));
    if (!headers || stackDialogId === undefined || this.#isFull()) {
      this.#context.dialogs.remove(dialog);
      if (byeOrder) this.#failSoon(owner, byeOrder.id);
      return;
    }
    const request = this.#open(owner, byeOrder?.id ?? '', { dialog });
    request.isForgotten = !byeOrder;
    this.#send(request, placeholder, { method: 'BYE', headers, stackDialogId });
  }

  /** The control connection is gone. */
  lost(): void {
    for (const request of [...this.#pending]) this.#fail(request, 'transport');
  }

  #open(
    owner: Owner,
    id: string,
    of: { readonly text?: OutgoingText | undefined; readonly dialog?: InviteDialog },
  ): ClientRequest {
    const { clock, limits } = this.#context.settings;
    const request: ClientRequest = {
      owner,
      id,
      text: of.text,
      dialog: of.dialog,
      withdraw: () => undefined,
      sent: undefined,
      order: undefined,
      isForgotten: false,
    };
    const waitMs = of.text ? limits.inviteMs : limits.responseMs;
    request.withdraw = clock.after(waitMs, () => {
      if (of.text && request.sent && !request.order) this.#cancel(request.sent, []);
      this.#fail(request, 'timeout');
    });
    this.#pending.add(request);
    return request;
  }

  #send(request: ClientRequest, uri: string, options: OutgoingText['options']): void {
    this.#context.control.request(uri, options, (error, sent) => {
      if (!this.#pending.has(request)) return;
      if (!sent) {
        const code = error instanceof DrachtioError ? error.code : 'DRACHTIO_REFUSED';
        this.#context.settings.log.warn({ code }, 'drachtio has not sent a request');
        this.#fail(request, 'transport');
        return;
      }
      request.sent = sent;
      sent.on('response', (response, ack) => this.#answered(request, response, ack));
      if (request.order) this.#cancel(sent, request.order.headers);
    });
  }

  /** The server holds it back until there is a provisional response (9.1). */
  #cancel(sent: SrfSent, fields: readonly HeaderField[]): void {
    const headers = this.#carried(() => headersOf(fields)) ?? {};
    try {
      sent.cancel({ headers }, (error) => {
        if (!error) return;
        // The final response has crossed it: that is the outcome.
        this.#context.settings.log.debug({ code: 'DRACHTIO_REFUSED' }, 'nothing to cancel');
      });
    } catch {
      // drachtio-srf throws on a socket that has closed; the loss of it ends the INVITE.
    }
  }

  #answered(request: ClientRequest, received: SrfResponse, ack: () => void): void {
    const response = this.#read(received.raw);
    if (!this.#pending.has(request)) {
      this.#answeredLate(request, received, response, ack);
    } else if (!response) {
      if (request.text) acknowledge(ack);
      this.#fail(request, 'transport');
    } else if (response.status < 200) {
      if (response.status > 100) this.#tell(request, response);
    } else if (response.status === 408) {
      // 8.1.3.1: the server says Timer B and F this way, and what it says stands for them.
      this.#fail(request, 'timeout');
    } else if (request.text && response.status < 300) {
      this.#accepted(request, request.text, received, response, ack);
    } else {
      this.#close(request);
      this.#tell(request, response);
      if (request.order) this.#context.handler.response(request.owner, request.order.id, response);
      this.#context.settled();
    }
  }

  /** 13.2.2.4: the ACK, the dialog, and the BYE that was asked for meanwhile. */
  #accepted(
    request: ClientRequest,
    text: OutgoingText,
    received: SrfResponse,
    response: SipResponse,
    ack: () => void,
  ): void {
    const { owner, order } = request;
    acknowledge(ack);
    this.#close(request);
    if (request.isForgotten) this.#endUnowned(text, received, response);
    else {
      const dialog = this.#openDialog(owner, text, received, response);
      if (order) dialog.byeOrder = order;
      this.#tell(request, response);
      if (order && this.#context.dialogs.of(owner) === dialog) this.endDialog(dialog);
    }
    this.#context.settled();
  }

  /** An INVITE that was given up is accepted after all: nobody wants the dialog. */
  #answeredLate(
    { text }: ClientRequest,
    received: SrfResponse,
    response: SipResponse | undefined,
    ack: () => void,
  ): void {
    if (!text || !response || response.status < 200 || response.status >= 300) return;
    acknowledge(ack);
    this.#endUnowned(text, received, response);
  }

  /** A dialog that nobody owns is there for its BYE alone. */
  #endUnowned(text: OutgoingText, received: SrfResponse, response: SipResponse): void {
    this.endDialog(this.#openDialog(`\n${text.callId}`, text, received, response));
  }

  #openDialog(
    owner: Owner,
    text: OutgoingText,
    received: SrfResponse,
    response: SipResponse,
  ): InviteDialog {
    const dialog = this.#context.dialogs.add({
      owner,
      callId: text.callId,
      localTag: text.localTag,
      remoteTag: tagOf(response.header('To')) ?? '',
      localUri: uriOf(text.localUri) ?? text.localUri,
      remoteUri: uriOf(response.header('To')) ?? text.uri,
      peer: peerOf(received),
    });
    dialog.stackDialogId = received.stackDialogId;
    return dialog;
  }

  #tell({ isForgotten, owner, id }: ClientRequest, response: SipResponse): void {
    if (!isForgotten) this.#context.handler.response(owner, id, response);
  }

  #fail(request: ClientRequest, cause: 'timeout' | 'transport'): void {
    const { owner, id, order, isForgotten } = request;
    this.#close(request);
    if (!isForgotten) {
      this.#context.handler.failure(owner, id, cause);
      if (order) this.#context.handler.failure(owner, order.id, cause);
    }
    this.#context.settled();
  }

  #close(request: ClientRequest): void {
    request.withdraw();
    this.#pending.delete(request);
    if (request.text && this.#invites.get(request.owner) === request) {
      this.#invites.delete(request.owner);
    }
    if (request.dialog) this.#context.dialogs.remove(request.dialog);
  }

  /** A response whose body is no text is handed up without it. */
  #read(raw: string): SipResponse | undefined {
    const { log } = this.#context.settings;
    try {
      const { message, isDamaged } = readText(raw);
      if (isDamaged) log.warn({ code: 'DRACHTIO_BODY' }, 'the body of a response is no text');
      const whole = isDamaged ? withoutBody(message) : message;
      return whole.kind === 'response' ? whole : undefined;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      log.warn({ code: error.code }, 'malformed SIP response');
      return undefined;
    }
  }

  #isFull(): boolean {
    const isFull = this.#pending.size >= this.#context.settings.limits.clientTransactions;
    if (isFull) {
      this.#context.settings.log.warn({ code: 'DRACHTIO_FULL' }, 'client transactions full');
    }
    return isFull;
  }

  #mayInvite(owner: Owner): boolean {
    const { dialogs } = this.#context;
    return !dialogs.isFull && !this.#invites.has(owner) && !dialogs.of(owner);
  }

  #failSoon(owner: Owner, id: string): void {
    queueMicrotask(() => this.#context.handler.failure(owner, id, 'transport'));
  }

  /** Undefined when the control protocol cannot carry it undamaged. */
  #carried<T>(make: () => T): T | undefined {
    try {
      return make();
    } catch (error) {
      const isOurs =
        error instanceof DrachtioError ||
        error instanceof SerialiseError ||
        error instanceof WireError;
      if (!isOurs) throw error;
      this.#context.settings.log.warn({ code: error.code }, 'a request that cannot be sent');
      return undefined;
    }
  }
}

function acknowledge(ack: () => void): void {
  try {
    ack();
  } catch {
    // drachtio-srf throws on a socket that has closed; the loss of it ends the dialog.
  }
}
