/** A request of ours from its way out to its final response, over as many ways as it takes. */

import type { Owner } from '../../ports.js';
import type { SipResponse } from '../../wire/sip/message.js';
import { SerialiseError } from '../../wire/sip/serialise.js';
import {
  nobody,
  type ClientTransaction,
  type ClientTransactions,
  type ClientTransactionUser,
} from './client-transactions.js';
import type { ByeOrder, InviteDialog } from './dialogs.js';
import type { Departure, Dispatch } from './dispatch.js';
import { buildRequest, cancelDraft, refusalAckDraft } from './request.js';
import type { Retries } from './retries.js';

/** Who takes the outcome of a request. */
export interface ClientRequestUser {
  answered(request: ClientRequest, response: SipResponse): void;
  failed(request: ClientRequest, cause: 'timeout' | 'transport'): void;
  readonly clients: ClientTransactions;
}

export class ClientRequest implements ClientTransactionUser {
  readonly owner: Owner;
  readonly id: string;
  readonly dispatch: Dispatch;
  /** The INVITE dialog that this BYE ends or this INVITE or UPDATE refreshes. */
  readonly dialog: InviteDialog | undefined;
  /** What is tried before a refusal counts; undefined when the user has to know each of them. */
  readonly retries: Retries | undefined;
  /** Early dialogs of this INVITE. */
  readonly early: InviteDialog[] = [];
  /** The ACKs of its 2xx by To tag, one for each fork. */
  readonly acks = new Map<string, Acknowledgement>();
  /** The user has asked to end this INVITE. */
  order: ByeOrder | undefined = undefined;
  /** Nobody waits for the outcome. */
  isForgotten = false;
  isAnswered = false;
  #departure: Departure | undefined;
  #transaction: ClientTransaction | undefined;
  #hasProvisional = false;
  #isCancelled = false;
  readonly #user: ClientRequestUser;

  constructor(
    user: ClientRequestUser,
    what: {
      readonly owner: Owner;
      readonly id: string;
      readonly dispatch: Dispatch;
      readonly dialog?: InviteDialog | undefined;
      readonly retries?: Retries | undefined;
    },
  ) {
    this.#user = user;
    this.owner = what.owner;
    this.id = what.id;
    this.dispatch = what.dispatch;
    this.dialog = what.dialog;
    this.retries = what.retries;
  }

  get method(): string {
    return this.dispatch.draft.method;
  }

  /** Takes the next way; fails when there is none left. */
  depart(): void {
    const departure = this.dispatch.next();
    if (!departure) {
      this.#user.failed(this, 'transport');
      return;
    }
    this.#departure = departure;
    this.#hasProvisional = false;
    this.#isCancelled = false;
    this.#transaction = this.#user.clients.start({
      ...departure,
      method: this.method,
      user: this,
    });
  }

  /** CANCELs the INVITE, after its first provisional response if there is none yet (9.1). */
  cancel(): void {
    const departure = this.#departure;
    if (!departure || !this.#transaction || !this.#hasProvisional || this.#isCancelled) return;
    this.#isCancelled = true;
    const bytes = this.#cancelOctets(departure.via);
    this.#user.clients.start({ ...departure, bytes, method: 'CANCEL', user: nobody });
    this.#user.clients.abandon(this.#transaction);
  }

  #cancelOctets(via: string): Buffer {
    const { draft } = this.dispatch;
    try {
      return buildRequest(cancelDraft(draft, this.order?.headers ?? []), via);
    } catch (error) {
      // Header fields that would break the CANCEL stay out; the INVITE has to end all the same.
      if (error instanceof SerialiseError) return buildRequest(cancelDraft(draft, []), via);
      throw error;
    }
  }

  response(response: SipResponse): void {
    if (response.status < 200 && !this.#hasProvisional) {
      this.#hasProvisional = true;
      if (this.order) this.cancel();
    }
    if (response.status === 503) {
      this.dispatch.heard(response);
      if (this.#departElsewhere()) return;
    }
    if (response.status > 100) this.#user.answered(this, response);
  }

  timeout(): void {
    if (!this.#departElsewhere()) this.#user.failed(this, 'timeout');
  }

  transportFailed(): void {
    this.depart();
  }

  overdue(): void {
    this.cancel();
  }

  /** RFC 3263 4.3: on 503 and on a time-out the next target, unless nobody wants the outcome. */
  #departElsewhere(): boolean {
    const isWanted = !this.isForgotten && !this.order && this.early.length === 0;
    if (!isWanted || !this.dispatch.leaveTarget()) return false;
    this.depart();
    return true;
  }

  acknowledgement(response: SipResponse): Buffer {
    return buildRequest(refusalAckDraft(this.dispatch.draft, response), this.#departure!.via);
  }
}

/** The ACK of a 2xx, sent again with every repetition of that 2xx (13.2.2.4). */
export class Acknowledgement {
  readonly #dispatch: Dispatch;
  #departure: Departure | undefined;

  constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  send(): void {
    if (!this.#departure?.flow.isOpen) this.#dispatch.resolve(() => this.#depart());
    else this.#transmit(this.#departure);
  }

  #depart(): void {
    this.#departure = this.#dispatch.next();
    if (this.#departure) this.#transmit(this.#departure);
  }

  #transmit({ flow, bytes, address, port }: Departure): void {
    flow.send(bytes, address, port);
  }
}
