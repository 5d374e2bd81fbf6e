/** Refreshes of sessions: our requests inside INVITE dialogs (RFC 4028 7.4, 10, RFC 3311). */

import type { HeaderField, SipResponse } from '../../wire/sip/message.js';
import { updatedTarget } from '../../wire/sip/dialog.js';
import { WireError } from '../../wire/error.js';
import { parseDigits } from '../../wire/sip/number.js';
import { isProven } from './answer-proof.js';
import { Acknowledgement, ClientRequest, type ClientRequestUser } from './client-request.js';
import type { ClientTransactions } from './client-transactions.js';
import type { InviteDialog, InviteDialogs } from './dialogs.js';
import { Dispatch } from './dispatch.js';
import { glareDelayMs } from './glare.js';
import type { Network } from './network.js';
import type { SipSettings } from './options.js';
import type { SipCounters } from './flow.js';
import { credentialsIn, dialogDraft, type RequestDraft } from './request.js';
import { Retries } from './retries.js';
import { minSeOf, refreshFields, termsOf, type SessionTerms } from './session-timer.js';

export interface SessionRefreshContext {
  readonly settings: SipSettings;
  readonly network: Network;
  readonly clients: ClientTransactions;
  readonly dialogs: InviteDialogs;
  readonly counters: SipCounters;
  /** Ends a session that nobody can refresh any more. */
  expire(dialog: InviteDialog): void;
}

export class SessionRefreshes implements ClientRequestUser {
  readonly clients: ClientTransactions;
  readonly #context: SessionRefreshContext;

  constructor(context: SessionRefreshContext) {
    this.#context = context;
    this.clients = context.clients;
  }

  /** By UPDATE where the peer takes it, else by an INVITE that describes the session as it is. */
  refresh(dialog: InviteDialog): void {
    const { terms, description, takesUpdate } = dialog;
    if (dialog.state !== 'confirmed' || !terms || dialog.refresh) return;
    const { clients, settings } = this.#context;
    const isBusy = dialog.pendingInvite !== undefined || dialog.unacknowledged !== undefined;
    if (isBusy || clients.size >= settings.limits.clientTransactions) {
      this.#refreshAfterGlare(dialog);
      return;
    }
    const body = takesUpdate ? undefined : description?.body;
    this.#send(dialog, terms, body ? 'INVITE' : 'UPDATE', body);
  }

  answered(request: ClientRequest, response: SipResponse): void {
    const dialog = request.dialog!;
    const { status } = response;
    if (status < 200 || (status >= 300 && this.#retried(request, dialog, response))) return;
    // A dialog that has ended meanwhile still acknowledges (RFC 3261 13.2.2.4).
    if (request.method === 'INVITE' && status < 300) this.#acknowledge(request, dialog, response);
    if (dialog.refresh !== request) return;
    dialog.refresh = undefined;
    if (status >= 300) this.#refused(dialog, request.method, response);
    else if (isProven(request, response, this.#context)) this.#refreshed(dialog, response);
    // Somebody else is there: the other side of the session is not.
    else this.#context.expire(dialog);
  }

  /** 10: without an answer the other side is not there any more. */
  failed(request: ClientRequest): void {
    const dialog = request.dialog!;
    if (dialog.refresh !== request) return;
    dialog.refresh = undefined;
    this.#context.expire(dialog);
  }

  #send(
    dialog: InviteDialog,
    terms: SessionTerms,
    method: 'INVITE' | 'UPDATE',
    body: Buffer | undefined,
  ): void {
    const { authorise } = this.#context.settings;
    const cseq = dialog.value.localCseq + 1;
    const target = this.#readable(() => dialogDraft(dialog.value, method, cseq));
    if (!target) return;
    const plain = { ...target, headers: headersOf(dialog, terms, body), body };
    const { uri } = plain;
    const retries = new Retries({ uri, redirects: 0, authorise, isInside: true });
    dialog.counted();
    this.#start(dialog, retries.opening(plain), retries);
  }

  /** A challenge is answered in the next request of the dialog (RFC 3261 22.2). */
  #retried(request: ClientRequest, dialog: InviteDialog, response: SipResponse): boolean {
    const { retries, dispatch } = request;
    if (dialog.refresh !== request || dialog.state !== 'confirmed' || !retries) return false;
    const { clients, settings } = this.#context;
    if (clients.size >= settings.limits.clientTransactions) return false;
    const next = retries.after(dispatch.draft, response);
    if (!next) return false;
    this.#start(dialog, { ...next, cseq: dialog.counted().localCseq }, retries);
    return true;
  }

  #start(dialog: InviteDialog, draft: RequestDraft, retries: Retries): void {
    const { settings, network } = this.#context;
    const { owner } = dialog;
    const dispatch = new Dispatch(draft, settings, network);
    const request = new ClientRequest(this, { owner, id: '', dispatch, dialog, retries });
    dialog.refresh = request;
    dispatch.resolve(() => {
      if (dialog.refresh === request) request.depart();
    });
  }

  #acknowledge(request: ClientRequest, dialog: InviteDialog, response: SipResponse): void {
    dialog.value = updatedTarget(dialog.value, response);
    const known = request.acks.get('');
    if (known) {
      known.send();
      return;
    }
    const invite = request.dispatch.draft;
    const plain = this.#readable(() => dialogDraft(dialog.value, 'ACK', invite.cseq));
    if (!plain) return;
    const draft = { ...plain, headers: credentialsIn(invite) };
    const { settings, network } = this.#context;
    const ack = new Acknowledgement(new Dispatch(draft, settings, network));
    request.acks.set('', ack);
    ack.send();
  }

  /** A 2xx that does not know session timers leaves the refreshes to us. */
  #refreshed(dialog: InviteDialog, response: SipResponse): void {
    if (dialog.state !== 'confirmed') return;
    dialog.heard(response);
    const { dialogs, settings } = this.#context;
    dialogs.agree(dialog, termsOf(response, settings.sessionTimer) ?? dialog.terms);
  }

  /** Whatever else refuses it, the session goes on until it expires. */
  #refused(dialog: InviteDialog, method: string, response: SipResponse): void {
    const { status } = response;
    if (status === 408 || status === 481) this.#context.expire(dialog);
    else if (status === 491) this.#refreshAfterGlare(dialog);
    else if (status === 422) this.#raise(dialog, response);
    else if (method === 'UPDATE' && (status === 405 || status === 501)) {
      dialog.takesUpdate = false;
      if (dialog.description?.body) this.refresh(dialog);
    } else if (status === 500 || status === 503) {
      const seconds = parseDigits(/^\d+/.exec(response.header('Retry-After') ?? '')?.[0]);
      if (seconds === undefined || !dialog.terms) return;
      const delayMs = Math.min(seconds, dialog.terms.expires) * 1_000;
      this.#context.dialogs.refreshIn(dialog, delayMs);
    }
  }

  /** 7.3: with the interval that is asked for, as long as each is longer than the last. */
  #raise(dialog: InviteDialog, response: SipResponse): void {
    const least = minSeOf(response);
    const { terms } = dialog;
    if (least === undefined || !terms || least <= terms.expires) return;
    dialog.terms = { ...terms, expires: least, expiresMin: least };
    this.#refreshAfterGlare(dialog);
  }

  /** Never at once, so that two sides do not drive each other. */
  #refreshAfterGlare(dialog: InviteDialog): void {
    const { dialogs, settings } = this.#context;
    dialogs.refreshIn(dialog, glareDelayMs(dialog.isCaller, settings.random));
  }

  /** Undefined when a URI of the peer cannot be read: such a session runs out. */
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

function headersOf(
  dialog: InviteDialog,
  terms: SessionTerms,
  body: Buffer | undefined,
): readonly HeaderField[] {
  const kept = dialog.description?.headers ?? [];
  const described = kept.filter(([name]) => body !== undefined || !/^content-/i.test(name));
  return [...described, ...refreshFields(terms)];
}
