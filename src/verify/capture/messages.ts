/** The messages that were found, within what may be kept of them. */

import type { Capture, Closing, Loss, Observed } from './observed.js';
import type { CaptureLimits } from './limits.js';
import type { Remarks } from './remarks.js';

const nothing = Buffer.alloc(0);

export class Messages {
  readonly #limits: CaptureLimits;
  readonly #remarks: Remarks;
  readonly #list: Observed[] = [];
  readonly #losses: Loss[] = [];
  readonly #closings: Closing[] = [];
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
      this.lose({ number, ...waysOf(message), what: 'messages beyond the bound' });
      return;
    }
    const kept = this.#kept(message);
    if (kept === undefined) {
      this.lose({ number, ...waysOf(message), what: 'messages for which there is no room' });
      return;
    }
    this.#bytes += kept.length;
    const cut = message.cut || kept.length < bytes.length;
    this.#list.push({ ...message, bytes: kept, cut });
  }

  /** Takes note of what passed and is not among the messages, as far as there is room for it. */
  lose(loss: Loss): void {
    if (this.#losses.length < this.#limits.remarks) this.#losses.push(loss);
  }

  /** A closing beyond the bound is not told: nothing is held against anybody for that. */
  close(closing: Closing): void {
    if (this.#closings.length < this.#limits.messages) this.#closings.push(closing);
  }

  /** In the order in which they were seen: one that never ended is found only in the end. */
  capture(): Capture {
    const messages = [...this.#list].sort((one, other) => one.number - other.number);
    const losses = this.#losses;
    const closings = this.#closings;
    return {
      ...{ messages, remarks: this.#remarks.list() },
      ...(losses.length > 0 && { losses }),
      ...(closings.length > 0 && { closings }),
    };
  }

  /** A copy of what is kept of it: its head at least, for which a part of the room is set aside. */
  #kept({ number, protocol, bytes }: Observed): Buffer | undefined {
    const { messageBytes, bytes: bytesMax } = this.#limits;
    const room = bytesMax - this.#bytes;
    if (bytes.length <= Math.min(messageBytes, room - bytesMax / 4)) return Buffer.from(bytes);
    const headEnd = bytes.indexOf('\r\n\r\n');
    const head = headEnd < 0 ? bytes : bytes.subarray(0, headEnd + 4);
    // The end-line tells whether more was to come.
    const endLineAt = protocol === 'msrp' ? bytes.lastIndexOf('\r\n-------') : -1;
    const endLine = headEnd < 0 || endLineAt < headEnd ? nothing : bytes.subarray(endLineAt);
    if (head.length + endLine.length > Math.min(room, messageBytes)) {
      this.#remarks.count('messages for which there is no room are not told', number);
      return undefined;
    }
    this.#remarks.count('bodies for which there is no room are left out', number);
    return Buffer.concat([head, endLine]);
  }
}

function waysOf({ source, target }: Observed): Pick<Loss, 'source' | 'target'> {
  return { source, target };
}
