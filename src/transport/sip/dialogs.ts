/** The INVITE dialogs of an endpoint, by owner and by dialog id (RFC 3261 12). */

import type { Owner } from '../../ports.js';
import type { SipDialog } from '../../wire/sip/dialog.js';
import type { HeaderField, SipHeaders } from '../../wire/sip/message.js';
import { tagOf } from '../../wire/sip/name-addr.js';
import type { ClientRequest } from './client-request.js';
import type { Flow, SipCounters } from './flow.js';
import type { Network } from './network.js';
import type { SipSettings } from './options.js';
import type { RequestDraft } from './request.js';
import type { ServerTransaction } from './server-transactions.js';
import { expiryDelayMs, type SessionTerms } from './session-timer.js';
import { WheelTimer, type TimerWheel, type WheelTarget } from './timer-wheel.js';

/** Our 2xx to an INVITE, repeated until its ACK is there (13.3.1.4). */
export interface Unacknowledged {
  readonly bytes: Buffer;
  readonly flow: Flow;
  readonly address: string;
  readonly port: number;
  readonly cseq: number;
}

/** How a BYE is asked for. */
export interface ByeOrder {
  readonly id: string;
  readonly headers: readonly HeaderField[];
}

/** How our side of the session was described last, for a refresh that changes nothing. */
export interface Description {
  /** Contact, Content-Type and Allow as they were sent. */
  readonly headers: readonly HeaderField[];
  readonly body: Buffer | undefined;
}

/** What the users of the table do when a timer of a dialog has run out. */
export interface InviteDialogUser {
  /** 64*T1 have passed without ACK. */
  abandoned(dialog: InviteDialog): void;
  /** It is our turn to refresh the session (RFC 4028 7.4). */
  refresh(dialog: InviteDialog): void;
  /** The session is about to expire without a refresh (RFC 4028 10). */
  overdue(dialog: InviteDialog): void;
}

export class InviteDialog implements WheelTarget {
  readonly owner: Owner;
  /** Whether our INVITE has opened it: then the Call-ID is ours. */
  readonly isCaller: boolean;
  value: SipDialog;
  /** `early`: by a provisional response; `ended`: our BYE is under way. */
  state: 'early' | 'confirmed' | 'ended';
  unacknowledged: Unacknowledged | undefined = undefined;
  /** Waits for the ACK of our 2xx (15). */
  byeOrder: ByeOrder | undefined = undefined;
  /** An INVITE inside the dialog that is not answered finally. */
  pendingInvite: ServerTransaction | undefined = undefined;
  /** An UPDATE inside the dialog that is not answered finally. */
  pendingUpdate: ServerTransaction | undefined = undefined;
  /** Our INVITE or UPDATE inside the dialog that is not answered finally. */
  refresh: ClientRequest | undefined = undefined;
  terms: SessionTerms | undefined = undefined;
  description: Description | undefined = undefined;
  /** By the Allow of the peer. */
  takesUpdate = false;
  readonly refreshTimer = new WheelTimer(this);
  readonly expiry = new WheelTimer(this);
  readonly repetition = new WheelTimer(this);
  readonly deadline = new WheelTimer(this);
  intervalMs = 0;
  readonly #table: InviteDialogs;

  constructor(
    table: InviteDialogs,
    owner: Owner,
    value: SipDialog,
    state: 'early' | 'confirmed' | 'ended',
  ) {
    this.#table = table;
    this.owner = owner;
    this.value = value;
    this.state = state;
    // A dialog that we open begins with a request of ours, one of the peer's with none.
    this.isCaller = value.localCseq > 0;
  }

  /** What we have sent of our side of the session, unless the message says nothing of it. */
  describe(message: {
    readonly headers: readonly HeaderField[];
    readonly body?: Buffer | undefined;
  }): void {
    const { headers, body } = message;
    if (!body && this.description) return;
    // What else was sent with it, such as a URI list, belongs to that one request.
    const isAlone = headers.some(([name, value]) => /^content-type$/i.test(name) && isSdp(value));
    this.description = {
      headers: headers.filter(([name]) => /^(contact|allow|content-type)$/i.test(name)),
      body: isAlone ? body : undefined,
    };
  }

  /** An Allow of the peer counts until the next one (20.5). */
  heard(message: SipHeaders): void {
    const methods = message.list('Allow');
    if (methods.length > 0) this.takesUpdate = methods.includes('UPDATE');
  }

  /** The dialog with the CSeq of our next request, which is at least that. */
  counted(least = 0): SipDialog {
    const localCseq = Math.max(this.value.localCseq + 1, least);
    this.value = { ...this.value, localCseq };
    return this.value;
  }

  expired(name: string): void {
    this.#table.expired(this, name);
  }
}

export class InviteDialogs {
  readonly #settings: SipSettings;
  readonly #network: Network;
  readonly #wheel: TimerWheel;
  readonly #counters: SipCounters;
  readonly #user: InviteDialogUser;
  readonly #byOwner = new Map<Owner, InviteDialog>();
  readonly #byId = new Map<string, InviteDialog>();

  constructor(
    context: {
      readonly settings: SipSettings;
      readonly network: Network;
      readonly wheel: TimerWheel;
      readonly counters: SipCounters;
    },
    user: InviteDialogUser,
  ) {
    this.#settings = context.settings;
    this.#network = context.network;
    this.#wheel = context.wheel;
    this.#counters = context.counters;
    this.#user = user;
  }

  /** Early dialogs included. */
  get size(): number {
    return this.#byId.size;
  }

  get isFull(): boolean {
    return this.#byId.size >= this.#settings.limits.dialogs;
  }

  /** The dialog of that owner; early ones are not found here. */
  of(owner: Owner): InviteDialog | undefined {
    return this.#byOwner.get(owner);
  }

  find(callId: string, localTag: string, remoteTag: string): InviteDialog | undefined {
    return this.#byId.get(dialogId(callId, localTag, remoteTag));
  }

  /** The dialog that a request of ours belongs to. */
  around({ callId, localTag, to }: RequestDraft): InviteDialog | undefined {
    return this.find(callId, localTag, tagOf(to) ?? '');
  }

  /**
   * A dialog by value that is an INVITE dialog of ours has another usage (RFC 5057): requests of
   * both have one CSeq, one target and one route set.
   */
  shared(value: SipDialog): SipDialog {
    const dialog = this.find(value.callId, value.localTag, value.remoteTag);
    return dialog ? dialog.counted(value.localCseq) : value;
  }

  /** Adds a dialog; a confirmed one becomes the dialog of its owner. */
  add(owner: Owner, value: SipDialog, state: 'early' | 'confirmed'): InviteDialog {
    const dialog = new InviteDialog(this, owner, value, state);
    this.#byId.set(idOf(value), dialog);
    if (state === 'confirmed') this.#byOwner.set(owner, dialog);
    return dialog;
  }

  /** An early dialog is confirmed by its 2xx. */
  confirm(dialog: InviteDialog, value: SipDialog): void {
    // The peer may have sent requests while the dialog was early.
    const { remoteCseq } = dialog.value;
    dialog.value = { ...value, remoteCseq: Math.max(remoteCseq, value.remoteCseq) };
    dialog.state = 'confirmed';
    this.#byOwner.set(dialog.owner, dialog);
  }

  remove(dialog: InviteDialog): void {
    this.#stopRepeating(dialog);
    this.agree(dialog, undefined);
    if (this.#has(dialog)) this.#byId.delete(idOf(dialog.value));
    if (this.#byOwner.get(dialog.owner) === dialog) this.#byOwner.delete(dialog.owner);
  }

  /** Repeats our 2xx from T1 doubling to T2, over every transport, until it is acknowledged. */
  await(dialog: InviteDialog, response: Unacknowledged): void {
    const { t1 } = this.#settings.timers;
    dialog.unacknowledged = response;
    dialog.intervalMs = t1;
    this.#wheel.set(dialog.repetition, 'repeat', t1);
    this.#wheel.set(dialog.deadline, 'deadline', 64 * t1);
  }

  /** Returns whether this is the first ACK of our 2xx. */
  acknowledge(dialog: InviteDialog, cseq: number): boolean {
    if (dialog.unacknowledged?.cseq !== cseq) return false;
    this.#stopRepeating(dialog);
    return true;
  }

  /** Each agreement begins a new interval; none ends the last one (RFC 4028 7.2, 9). */
  agree(dialog: InviteDialog, terms: SessionTerms | undefined): void {
    dialog.terms = terms;
    this.#wheel.cancel(dialog.refreshTimer);
    this.#wheel.cancel(dialog.expiry);
    if (!terms || dialog.state !== 'confirmed' || !this.#has(dialog)) return;
    this.#wheel.set(dialog.expiry, 'expiry', expiryDelayMs(terms));
    if (terms.isOurs) this.refreshIn(dialog, (terms.expires * 1_000) / 2);
  }

  refreshIn(dialog: InviteDialog, delayMs: number): void {
    this.#wheel.set(dialog.refreshTimer, 'refresh', delayMs);
  }

  expired(dialog: InviteDialog, name: string): void {
    if (name === 'refresh') this.#user.refresh(dialog);
    else if (name === 'expiry') this.#overdue(dialog);
    else if (dialog.unacknowledged) this.#unacknowledged(dialog, dialog.unacknowledged, name);
  }

  #has(dialog: InviteDialog): boolean {
    return this.#byId.get(idOf(dialog.value)) === dialog;
  }

  #overdue(dialog: InviteDialog): void {
    this.#counters.timeouts++;
    this.#user.overdue(dialog);
  }

  #unacknowledged(dialog: InviteDialog, response: Unacknowledged, name: string): void {
    if (name === 'deadline') {
      this.#stopRepeating(dialog);
      this.#counters.timeouts++;
      this.#user.abandoned(dialog);
      return;
    }
    this.#counters.retransmitted++;
    const { flow, bytes, address, port } = response;
    this.#network.reply(flow, bytes, address, port);
    dialog.intervalMs = Math.min(dialog.intervalMs * 2, this.#settings.timers.t2);
    this.#wheel.set(dialog.repetition, 'repeat', dialog.intervalMs);
  }

  #stopRepeating(dialog: InviteDialog): void {
    dialog.unacknowledged = undefined;
    this.#wheel.cancel(dialog.repetition);
    this.#wheel.cancel(dialog.deadline);
  }
}

function isSdp(contentType: string): boolean {
  return /^application\/sdp\s*(;|$)/i.test(contentType);
}

/** Line ends occur in no header value. */
function dialogId(callId: string, localTag: string, remoteTag: string): string {
  return `${callId}\n${localTag}\n${remoteTag}`;
}

function idOf(value: SipDialog): string {
  return dialogId(value.callId, value.localTag, value.remoteTag);
}
