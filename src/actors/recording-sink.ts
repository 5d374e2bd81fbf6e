/** One large message on its way from its SENDs to the store, never whole in memory. */

import type { MessageFacts } from '../machines/events.js';
import type {
  Clock,
  Log,
  MsrpChunk,
  MsrpIncoming,
  MsrpSink,
  Random,
  StorePort,
  Upload,
  UploadId,
} from '../ports.js';
import { formatRecordedHeaders } from '../wire/recorded-headers.js';
import type { Counters } from './counters.js';
import { addCpim, isComposing, isCpim, submissionDigest } from './message-facts.js';
import { keptFields, SendHeaders } from './recording-headers.js';
import type { RecordingBounds, RecordingSession } from './recordings.js';

export interface RecordingSinkParts {
  readonly store: Pick<StorePort, 'upload'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly counters: Counters;
  readonly bounds: RecordingBounds;
  /** Octets have come in. */
  progress(): void;
  /** Nothing of it is held here any more. */
  ended(): void;
  /** What the mailbox says to it, when that is durable. */
  completed(message: CompleteMessage): Promise<Verdict>;
}

/** A message whose octets are durable, and kept by nobody yet. */
export interface CompleteMessage {
  readonly message: MessageFacts;
  readonly upload: UploadId;
  /** When its first octet came, and the last missing one. */
  readonly begunAt: number;
  readonly at: number;
}

export interface Verdict {
  readonly status: number;
  /** The message is stored with this upload. */
  readonly kept: boolean;
}

/** Characters of the token that delimits what encloses the content: 131 bits. */
const tokenLength = 22;

export class RecordingSink implements MsrpSink {
  readonly #session: RecordingSession;
  readonly #incoming: MsrpIncoming;
  readonly #parts: RecordingSinkParts;
  readonly #sends: SendHeaders;
  /** The first octets, where they may hold CPIM headers. */
  readonly #head: Buffer | undefined;
  readonly #opening: Promise<Upload>;
  readonly #begunAt: number;
  #upload: Upload | undefined;

  constructor(session: RecordingSession, incoming: MsrpIncoming, parts: RecordingSinkParts) {
    this.#session = session;
    this.#incoming = incoming;
    this.#parts = parts;
    this.#begunAt = parts.clock.now();
    const { recordedHeaderBytes, cpimHeadBytes } = parts.bounds;
    this.#sends = new SendHeaders(recordedHeaderBytes);
    if (isCpim(incoming.contentType)) this.#head = Buffer.alloc(cpimHeadBytes);
    this.#opening = parts.store.upload(session.account);
    this.#opening.then(
      (upload) => (this.#upload = upload),
      // Whoever writes first, or ends it, hears of the failure.
      () => undefined,
    );
  }

  chunk(chunk: MsrpChunk): void {
    this.#sends.add(chunk);
  }

  write(offset: number, bytes: Buffer): ReturnType<MsrpSink['write']> {
    if (offset + bytes.length > this.#session.maxSize) return 413;
    this.#parts.progress();
    if (this.#head && offset < this.#head.length) bytes.copy(this.#head, offset);
    if (this.#upload) return this.#upload.write(offset, bytes);
    return this.#opening.then((upload) => upload.write(offset, bytes));
  }

  /** D-14: received when the last missing octet was; answered when the store has it all (D-16). */
  complete(total: number): Promise<number> {
    const at = this.#parts.clock.now();
    return this.#complete(total, at).finally(() => this.#parts.ended());
  }

  abort(cause: 'aborted' | 'lost' | 'overrun'): void {
    this.#parts.counters['actors.recordings.aborted']++;
    this.#parts.log.info({ cause, account: this.#session.account }, 'large message not taken in');
    void this.#drop().finally(() => this.#parts.ended());
  }

  async #complete(total: number, at: number): Promise<number> {
    try {
      const upload = await this.#opening;
      const headers = this.#headers();
      await upload.write(total, headers);
      await upload.finish(total + headers.length);
      const made = { message: this.#facts(total), upload: upload.id, begunAt: this.#begunAt, at };
      const { status, kept } = await this.#parts.completed(made);
      if (!kept) await this.#drop();
      return status;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      this.#parts.log.warn({ code, account: this.#session.account }, 'large message not stored');
      await this.#drop();
      return 413;
    }
  }

  /** Nothing of it stays behind. */
  async #drop(): Promise<void> {
    try {
      const upload = await this.#opening;
      await upload.abort();
    } catch (error) {
      // What cannot be removed now is swept later.
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      this.#parts.log.debug({ code }, 'upload not removed');
    }
  }

  #headers(): Buffer {
    const { invitation, answer } = this.#session;
    const { random, bounds } = this.#parts;
    return formatRecordedHeaders({
      invite: keptFields(invitation.fields, bounds.recordedHeaderBytes),
      answer: keptFields(answer, bounds.recordedHeaderBytes),
      ...this.#sends.sets(),
      token: random.token(tokenLength),
    });
  }

  #facts(size: number): MessageFacts {
    const { account, invitation } = this.#session;
    const { messageId, contentType } = this.#incoming;
    const { facts } = invitation;
    const made = {
      ...facts,
      size,
      // MSRP-13: a message that is sent again in another session has the same Message-ID.
      digest: submissionDigest(account, 'msrp', messageId, facts.from, String(size)),
      transient: isComposing(contentType),
      ...(contentType !== undefined && { contentType }),
    };
    if (this.#head) addCpim(made, this.#head.subarray(0, size));
    return made;
  }
}
