/** How far the CSeq of a dialog by value runs ahead of what its user counts (RFC 3261 22.2). */

import type { SipDialog } from '../../wire/sip/dialog.js';

/** Every request that was challenged has had one more. Bounded; the oldest dialog makes room. */
export class CseqOffsets {
  readonly #bound: number;
  readonly #offsets = new Map<string, number>();

  constructor(bound: number) {
    this.#bound = bound;
  }

  of(dialog: Pick<SipDialog, 'callId' | 'localTag'>): number {
    return this.#offsets.get(keyOf(dialog)) ?? 0;
  }

  count(dialog: Pick<SipDialog, 'callId' | 'localTag'>): void {
    const key = keyOf(dialog);
    const offset = this.of(dialog) + 1;
    this.#offsets.delete(key);
    this.#offsets.set(key, offset);
    for (const oldest of this.#offsets.keys()) {
      if (this.#offsets.size <= this.#bound) return;
      this.#offsets.delete(oldest);
    }
  }
}

function keyOf({ callId, localTag }: Pick<SipDialog, 'callId' | 'localTag'>): string {
  return `${callId} ${localTag}`;
}
