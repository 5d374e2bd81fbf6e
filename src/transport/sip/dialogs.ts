/** The INVITE dialogs of an endpoint, by owner and by dialog id (RFC 3261 12). */

import type { Owner } from '../../ports.js';
import type { SipDialog } from '../../wire/sip/dialog.js';
import type { HeaderField } from '../../wire/sip/message.js';
import type { Flow, SipCounters } from './flow.js';
import type { Network } from './network.js';
import type { SipSettings } from './options.js';
import type { ServerTransaction } from './server-transactions.js';
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

export class InviteDialog implements WheelTarget {
  readonly owner: Owner;
  value: SipDialog;
  /** `early`: by a provisional response; `ended`: our BYE is under way. */
  state: 'early' | 'confirmed' | 'ended';
  unacknowledged: Unacknowledged | undefined = undefined;
  /** Waits for the ACK of our 2xx (15). */
  byeOrder: ByeOrder | undefined = undefined;
  /** An INVITE inside the dialog that is not answered finally. */
  pendingInvite: ServerTransaction | undefined = undefined;
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
  /** 64*T1 have passed without ACK. */
  readonly #abandoned: (dialog: InviteDialog) => void;
  readonly #byOwner = new Map<Owner, InviteDialog>();
  readonly #byId = new Map<string, InviteDialog>();

  constructor(
    context: {
      readonly settings: SipSettings;
      readonly network: Network;
      readonly wheel: TimerWheel;
      readonly counters: SipCounters;
    },
    abandoned: (dialog: InviteDialog) => void,
  ) {
    this.#settings = context.settings;
    this.#network = context.network;
    this.#wheel = context.wheel;
    this.#counters = context.counters;
    this.#abandoned = abandoned;
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
    const id = idOf(dialog.value);
    if (this.#byId.get(id) === dialog) this.#byId.delete(id);
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

  expired(dialog: InviteDialog, name: string): void {
    const { unacknowledged } = dialog;
    if (!unacknowledged) return;
    if (name === 'deadline') {
      this.#stopRepeating(dialog);
      this.#counters.timeouts++;
      this.#abandoned(dialog);
      return;
    }
    this.#counters.retransmitted++;
    const { flow, bytes, address, port } = unacknowledged;
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

/** Line ends occur in no header value. */
function dialogId(callId: string, localTag: string, remoteTag: string): string {
  return `${callId}\n${localTag}\n${remoteTag}`;
}

function idOf(value: SipDialog): string {
  return dialogId(value.callId, value.localTag, value.remoteTag);
}
