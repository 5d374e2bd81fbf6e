/** The messages that were found, within what may be kept of them. */

import type { Capture, Observed } from './observed.js';
import type { CaptureLimits } from './limits.js';
import type { Remarks } from './remarks.js';

export class Messages {
  readonly #limits: CaptureLimits;
  readonly #remarks: Remarks;
  readonly #list: Observed[] = [];
  #bytes = 0;

  constructor(limits: CaptureLimits, remarks: Remarks) {
    this.#limits = limits;
    this.#remarks = remarks;
  }

  /** Takes one; its octets may be a view, and are copied. */
  add(message: Observed): void {
    const { number, bytes } = message;
    if (this.#list.length >= this.#limits.messages) {
      this.#remarks.count('messages beyond the bound are not told', number);
      return;
    }
    const kept = this.#kept(bytes, number);
    if (kept < 0) return;
    this.#bytes += kept;
    const cut = message.cut || kept < bytes.length;
    this.#list.push({ ...message, bytes: Buffer.from(bytes.subarray(0, kept)), cut });
  }

  /** In the order in which they were seen: one that never ended is found only in the end. */
  capture(): Capture {
    const messages = [...this.#list].sort((one, other) => one.number - other.number);
    return { messages, remarks: this.#remarks.list() };
  }

  /** Octets that are kept of a message; its head at least while there is room for that. */
  #kept(bytes: Buffer, number: number): number {
    const { messageBytes } = this.#limits;
    const room = this.#limits.bytes - this.#bytes;
    if (bytes.length <= Math.min(messageBytes, room)) return bytes.length;
    if (bytes.length <= room) return messageBytes;
    const headEnd = bytes.indexOf('\r\n\r\n');
    const head = headEnd < 0 ? bytes.length : headEnd + 4;
    if (head > Math.min(room, messageBytes)) {
      this.#remarks.count('messages for which there is no room are not told', number);
      return -1;
    }
    this.#remarks.count('bodies for which there is no room are left out', number);
    return head;
  }
}
