/** Takes in messages over MSRP sessions: bounded buffers, duplicates marked, consumers heard. */

import type { FilesPort, MsrpIncoming, MsrpSink } from '../ports.js';
import { openMessage } from './encapsulation.js';
import type { ClientLimits, DeliveredMessage } from './im-client.js';
import { SpooledInbound } from './spool.js';

/** MSRP statuses of a message that is not taken (RFC 4975 10). */
const timedOut = 408;
const tooLarge = 413;
const taken = 200;

/** Who takes the messages of one session. */
export interface Consumer {
  /** Octets came in. */
  progress(): void;
  /** Resolves with true when the message is safe with the user. */
  take(message: DeliveredMessage): Promise<boolean>;
}

/** Shared by all sessions of a client. */
export class Intake {
  readonly #limits: ClientLimits;
  readonly #seen = new Set<string>();
  readonly #spool: Spool | undefined;
  #bytes = 0;
  #spooledBytes = 0;
  #spooled = 0;

  constructor(limits: ClientLimits, spool?: Spool) {
    this.#limits = limits;
    this.#spool = spool;
  }

  /** Octets of messages that are coming in. */
  get bytes(): number {
    return this.#bytes;
  }

  receive(incoming: MsrpIncoming, consumer: Consumer): MsrpSink | number {
    const { messageBytes, incomingBytes } = this.#limits;
    const total = incoming.total ?? 0;
    if (total > messageBytes && this.#spool) {
      return this.#receiveLarge(this.#spool, { ...incoming, total }, consumer);
    }
    if (total > messageBytes || this.#bytes + total > incomingBytes) return tooLarge;
    return new Inbound(this, this.#limits, incoming, consumer);
  }

  /** Takes so many octets more for a message, if the bound allows. */
  reserve(bytes: number): boolean {
    if (this.#bytes + bytes > this.#limits.incomingBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  free(bytes: number): void {
    this.#bytes -= bytes;
  }

  freeSpool(octets: number): void {
    this.#spooledBytes -= octets;
  }

  /** Whether the Message-ID has come before. */
  isKnown(messageId: string): boolean {
    return this.#seen.has(messageId);
  }

  /** Remembers a Message-ID that was taken; the oldest one is forgotten for it. */
  remember(messageId: string): void {
    this.#seen.delete(messageId);
    this.#seen.add(messageId);
    if (this.#seen.size <= this.#limits.rememberedIds) return;
    const [oldest] = this.#seen;
    if (oldest !== undefined) this.#seen.delete(oldest);
  }

  #receiveLarge(
    { files, directory, token }: Spool,
    incoming: MsrpIncoming & { readonly total: number },
    consumer: Consumer,
  ): MsrpSink | number {
    const { total } = incoming;
    if (this.#spooledBytes + total > this.#limits.spooledBytes) return tooLarge;
    this.#spooledBytes += total;
    const name = `${token}-${++this.#spooled}.message`;
    return new SpooledInbound(this, incoming, consumer, { files, directory, name });
  }
}

/** Where messages go that are too large for memory. */
export interface Spool {
  readonly files: FilesPort;
  readonly directory: string;
  /** Tells the files of this client from those of others. */
  readonly token: string;
}

/** One message that is coming in. */
class Inbound implements MsrpSink {
  readonly #intake: Intake;
  readonly #limits: ClientLimits;
  readonly #incoming: MsrpIncoming;
  readonly #consumer: Consumer;
  #buffer = Buffer.alloc(0);
  #overrun = false;
  #over = false;

  constructor(intake: Intake, limits: ClientLimits, incoming: MsrpIncoming, consumer: Consumer) {
    this.#intake = intake;
    this.#limits = limits;
    this.#incoming = incoming;
    this.#consumer = consumer;
  }

  write(offset: number, bytes: Buffer): void {
    if (this.#over || this.#overrun) return;
    const end = offset + bytes.length;
    if (end > this.#buffer.length && !this.#grow(end)) {
      this.#overrun = true;
      this.#release();
      return;
    }
    bytes.copy(this.#buffer, offset);
    this.#consumer.progress();
  }

  async complete(total: number): Promise<number> {
    if (this.#overrun || total > this.#buffer.length) return tooLarge;
    const { messageId, contentType, headers } = this.#incoming;
    const payload = this.#buffer.subarray(0, total);
    const received = { messageId, contentType, headers, payload };
    try {
      const message = openMessage(received, this.#intake.isKnown(messageId));
      if (!(await this.#consumer.take(message))) return timedOut;
      this.#intake.remember(messageId);
      return taken;
    } finally {
      this.#release();
    }
  }

  abort(): void {
    this.#release();
  }

  /** Doubles, so that a total that is not known beforehand costs at most twice the copying. */
  #grow(end: number): boolean {
    const { messageBytes } = this.#limits;
    const announced = this.#incoming.total ?? 0;
    const capacity = Math.min(Math.max(end, announced, this.#buffer.length * 2), messageBytes);
    if (end > capacity || !this.#intake.reserve(capacity - this.#buffer.length)) return false;
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.#buffer.copy(grown);
    this.#buffer = grown;
    return true;
  }

  #release(): void {
    if (this.#over) return;
    this.#over = true;
    this.#intake.free(this.#buffer.length);
    this.#buffer = Buffer.alloc(0);
  }
}
