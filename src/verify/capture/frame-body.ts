/** An MSRP frame as it comes: its octets, up to its end-line (RFC 4975 7.1). */

import { EndLineScanner } from '../../wire/msrp/end-line.js';
import { OctetQueue } from './octet-queue.js';

export class FrameBody {
  readonly #transactionId: string;
  readonly #max: number;
  readonly #scanner: EndLineScanner;
  readonly #kept = new OctetQueue();
  #isCut = false;

  /** `start` is the start line without its line end, which the octets that are pushed begin with. */
  constructor(transactionId: string, start: Buffer, max: number) {
    this.#transactionId = transactionId;
    // With its end-line, of nine octets and the transaction id and a flag and two more, it fits.
    this.#max = max - transactionId.length - 12;
    this.#scanner = new EndLineScanner(transactionId);
    this.#keep(start);
  }

  get heldBytes(): number {
    return this.#kept.length;
  }

  /** Whether octets of its body are left out. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** How many of the octets belong to it; -1: all of them, and it has not ended. */
  push(bytes: Buffer): number {
    return this.#scanner.scan(bytes, 0, (piece) => this.#keep(piece));
  }

  /** With its end-line, whatever was left out before it; or as far as it has come. */
  bytes(hasEnded: boolean): Buffer {
    if (!hasEnded) return this.#kept.bytes;
    const endLine = `\r\n-------${this.#transactionId}${this.#scanner.flag}\r\n`;
    return Buffer.concat([this.#kept.bytes, Buffer.from(endLine, 'latin1')]);
  }

  #keep(piece: Buffer): void {
    const room = Math.min(piece.length, this.#max - this.#kept.length);
    if (room < piece.length) this.#isCut = true;
    if (room <= 0) return;
    this.#kept.append(piece.subarray(0, room));
    this.#kept.keep();
  }
}
