/** INVITE dialogs of the drachtio adapter: whom they belong to and what the server calls them. */

import type { Owner, Peer } from '../../ports.js';
import type { HeaderField } from '../../wire/sip/message.js';

/** A BYE that was asked for. */
export interface ByeOrder {
  readonly id: string;
  readonly headers: readonly HeaderField[];
}

export interface DialogParts {
  readonly owner: Owner;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly localUri: string;
  readonly remoteUri: string;
  readonly peer: Peer;
}

export interface InviteDialog extends DialogParts {
  localTag: string;
  /** The server's name of it, known with its confirmation. */
  stackDialogId: string | undefined;
  /** Our 200 waits for its ACK. */
  isUnacknowledged: boolean;
  /** Ends that wait. */
  withdraw: () => void;
  byeOrder: ByeOrder | undefined;
  /** A BYE of ours is on its way. */
  isEnded: boolean;
}

export class InviteDialogs {
  readonly #byTags = new Map<string, InviteDialog>();
  readonly #byOwner = new Map<Owner, InviteDialog>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#byTags.size;
  }

  get isFull(): boolean {
    return this.#byTags.size >= this.#max;
  }

  add(parts: DialogParts): InviteDialog {
    const dialog: InviteDialog = {
      ...parts,
      stackDialogId: undefined,
      isUnacknowledged: false,
      withdraw: () => undefined,
      byeOrder: undefined,
      isEnded: false,
    };
    this.#byTags.set(keyOf(parts), dialog);
    this.#byOwner.set(parts.owner, dialog);
    return dialog;
  }

  of(owner: Owner): InviteDialog | undefined {
    return this.#byOwner.get(owner);
  }

  find(callId: string, localTag: string, remoteTag: string): InviteDialog | undefined {
    return this.#byTags.get(keyOf({ callId, localTag, remoteTag }));
  }

  remove(dialog: InviteDialog): void {
    dialog.withdraw();
    const key = keyOf(dialog);
    if (this.#byTags.get(key) === dialog) this.#byTags.delete(key);
    if (this.#byOwner.get(dialog.owner) === dialog) this.#byOwner.delete(dialog.owner);
  }

  /** The server has given our side another tag than the one it was asked for. */
  retag(dialog: InviteDialog, localTag: string): void {
    if (dialog.localTag === localTag || this.#byTags.get(keyOf(dialog)) !== dialog) return;
    this.#byTags.delete(keyOf(dialog));
    dialog.localTag = localTag;
    this.#byTags.set(keyOf(dialog), dialog);
  }

  /** All of them, which are forgotten. */
  clear(): InviteDialog[] {
    const dialogs = [...this.#byTags.values()];
    for (const dialog of dialogs) this.remove(dialog);
    return dialogs;
  }
}

function keyOf(tags: Pick<DialogParts, 'callId' | 'localTag' | 'remoteTag'>): string {
  return `${tags.callId}\n${tags.localTag}\n${tags.remoteTag}`;
}
