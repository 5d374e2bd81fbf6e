/** A SEND while it comes in, and how it is answered (RFC 4975 7.2, 7.3). */

import type { Random } from '../../ports.js';
import type { MsrpFlag, MsrpRequestHead } from '../../wire/msrp/frame.js';
import { report, response } from '../../wire/msrp/write.js';
import type { Connection, RequestBody } from './connection.js';
import type { ChunkOutcome, Incoming, IncomingChunk } from './incoming.js';

const idLength = 12;

export class SendRequest implements RequestBody {
  readonly #connection: Connection;
  readonly #random: Random;
  readonly #head: MsrpRequestHead;
  readonly #incoming: Incoming | number;
  /** A number is the status that answers it; undefined as long as it is no chunk of a message. */
  #chunk: IncomingChunk | number | undefined;
  #isAnswered = false;

  /** `incoming` is a status when the session takes no request. */
  constructor(
    connection: Connection,
    random: Random,
    head: MsrpRequestHead,
    incoming: Incoming | number,
  ) {
    this.#connection = connection;
    this.#random = random;
    this.#head = head;
    this.#incoming = incoming;
    // A bodiless SEND binds, keeps alive, and is no message (MSRP-11). Some peers write the empty
    // line all the same: without a Content-Type only octets make it a message.
    if (typeof incoming === 'number') this.#chunk = incoming;
    else if (head.hasBody && head.contentType !== undefined) this.#begin();
  }

  write(bytes: Buffer): void | Promise<void> {
    if (this.#chunk === undefined) this.#begin();
    if (typeof this.#chunk === 'object') return this.#chunk.write(bytes);
  }

  end(flag: MsrpFlag): void {
    if (typeof this.#chunk !== 'object') {
      this.#answer(this.#chunk ?? 200);
      return;
    }
    const outcome = this.#chunk.end(flag);
    if (!(outcome instanceof Promise)) {
      this.#conclude(outcome);
      return;
    }
    this.#connection.completing(1);
    void outcome.then((settled) => {
      this.#conclude(settled);
      this.#connection.completing(-1);
    });
  }

  fault(): void {
    if (typeof this.#chunk === 'object') this.#chunk.fault();
  }

  #begin(): void {
    if (typeof this.#incoming === 'number') return;
    this.#chunk = this.#incoming.chunk(this.#head);
    // Told at once, so that a large body can be spared (MSRP-23).
    if (this.#chunk === 413) this.#answer(413);
  }

  #conclude(outcome: ChunkOutcome): void {
    this.#answer(outcome.status);
    const { completed, status } = outcome;
    if (completed === undefined || status > 299 || !this.#head.successReport) return;
    const { fromPath, toPath, messageId } = this.#head;
    this.#connection.control(
      report({
        transactionId: this.#random.token(idLength),
        toPath: fromPath,
        fromPath: leftmost(toPath),
        messageId,
        // An empty message is 1-0/0 (MSRP-05).
        byteRange: { start: 1, end: completed, total: completed },
        status,
      }),
    );
  }

  /** Failure-Report `partial`: errors only; `no`: nothing (MSRP-20). */
  #answer(status: number): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    const { failureReport, transactionId, fromPath, toPath } = this.#head;
    if (failureReport === 'no' || (failureReport === 'partial' && status < 300)) return;
    this.#connection.control(
      response({
        transactionId,
        status,
        toPath: leftmost(fromPath),
        fromPath: leftmost(toPath),
      }),
    );
  }
}

/** The same array where it can be: its text is known. */
function leftmost(path: readonly string[]): readonly string[] {
  return path.length === 1 ? path : path.slice(0, 1);
}
