/** HTTP on a connection: not read, but what changes something over XCAP (RFC 4825) is told. */

import type { Conversation, Way } from './conversation.js';
import type { Stamp } from './frame.js';
import type { SequenceTaker } from './sequence.js';

/** Of a document of a user, below any root. */
const change = /(?:^|\n)(?:PUT|DELETE) \S*\/users\/\S+ HTTP\/1\.1\r/;

export class HttpWatch implements SequenceTaker {
  readonly #conversation: Conversation;
  readonly #way: Way;

  constructor(conversation: Conversation, way: Way) {
    this.#conversation = conversation;
    this.#way = way;
  }

  /** A start line begins a segment, or stands behind the end of another request. */
  push(octets: Buffer, { number }: Stamp): void {
    if (!change.test(octets.toString('latin1'))) return;
    const what = 'changes over XCAP, which are not judged';
    this.#conversation.findings.remarks.count(what, number);
    this.#conversation.lose(this.#way, what, number);
  }

  gap(): void {
    // What is missing of HTTP is nothing to the messages.
  }

  end(): void {
    // Nothing was kept.
  }
}
