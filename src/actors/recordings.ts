/** Large messages on their way into the store: sessions that take them in (D-14, D-16). */

import type { AccountEvent, Address, Limits } from '../machines/events.js';
import type {
  AccountId,
  Clock,
  Log,
  MsrpIncoming,
  MsrpSink,
  Owner,
  Random,
  StorePort,
} from '../ports.js';
import type { HeaderField } from '../wire/sip/message.js';
import type { Input } from './account-world.js';
import type { Counters } from './counters.js';
import { isComposing } from './message-facts.js';
import type { RequestFacts } from './message-facts.js';
import { parseOwner } from './owner.js';
import { RecordingSink } from './recording-sink.js';
import type { CompleteMessage, Verdict } from './recording-sink.js';

/** What the INVITE says of every message of its session. */
export interface Invitation {
  readonly facts: RequestFacts;
  readonly fields: readonly HeaderField[];
}

export interface RecordingsParts {
  readonly store: Pick<StorePort, 'upload'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits: Limits;
  readonly counters: Counters;
  readonly bounds: RecordingBounds;
  submit(account: AccountId, input: Input): boolean;
  tell(account: AccountId, to: Address, event: AccountEvent): void;
}

export interface RecordingBounds {
  /** Messages that are coming in at a time, in all sessions and in one. */
  readonly uploads: number;
  readonly uploadsPerSession: number;
  /** Octets kept of the header fields of INVITE and 200, and of those of SENDs. */
  readonly recordedHeaderBytes: number;
  /** Octets at the beginning of a message in which its CPIM headers are looked for. */
  readonly cpimHeadBytes: number;
}

/** A session of which the 200 has left. */
export interface RecordingSession {
  readonly account: AccountId;
  readonly recording: number;
  readonly invitation: Invitation;
  readonly answer: readonly HeaderField[];
  readonly maxSize: number;
  /** Messages begun, and those of them that are not ended. */
  begun: number;
  uploads: number;
  /** When its actor heard last that octets are coming. */
  toldAt: number;
}

/** No transport hands out identifiers that begin so. */
const prefix = 'recording\u0000';

/** MSRP statuses; whatever else an answer says, the sender has to stop. */
const statuses = new Set([200, 400, 403, 408, 413, 415, 481]);
const stopSending = 413;

export class Recordings {
  readonly #parts: RecordingsParts;
  readonly #sessions = new Map<Owner, RecordingSession>();
  readonly #completions = new Map<string, (status: number, kept: boolean) => void>();
  #uploads = 0;
  #next = 1;

  constructor(parts: RecordingsParts) {
    this.#parts = parts;
  }

  /** Messages that are coming in. */
  get uploads(): number {
    return this.#uploads;
  }

  /** The 200 to the INVITE is about to leave with these headers. */
  open(
    owner: Owner,
    opening: {
      readonly invitation: Invitation;
      readonly headers: readonly HeaderField[];
      readonly maxSize: number;
      /** Of the 200. */
      readonly tag: string;
    },
  ): void {
    const { account, address } = parseOwner(owner);
    const { invitation, headers, maxSize, tag } = opening;
    const answer = [...copied(invitation.fields, tag), ...headers];
    const recording = Number(address.slice('recording/'.length));
    const session = { account, recording, invitation, answer, maxSize };
    this.#sessions.set(owner, { ...session, begun: 0, uploads: 0, toldAt: -Infinity });
    this.#parts.counters['actors.recordings']++;
  }

  /** A message begins to come in; a number refuses it. */
  receive(owner: Owner, incoming: MsrpIncoming): MsrpSink | number {
    const session = this.#sessions.get(owner);
    if (!session) return 481;
    const { bounds, limits } = this.#parts;
    // U16: what is worth nothing later is not taken in to be thrown away.
    if (isComposing(incoming.contentType)) return 415;
    if ((incoming.total ?? 0) > session.maxSize) return stopSending;
    if (session.begun >= limits.recording.messages) return stopSending;
    if (session.uploads >= bounds.uploadsPerSession) return stopSending;
    if (this.#uploads >= bounds.uploads) return stopSending;
    session.begun++;
    session.uploads++;
    this.#uploads++;
    return new RecordingSink(session, incoming, {
      ...this.#parts,
      progress: () => this.#progress(session),
      ended: () => {
        session.uploads--;
        this.#uploads--;
      },
      completed: (made) => this.#completed(session, made),
    });
  }

  /** Answers the last SEND of a message; false when the transaction is not one of these. */
  confirm(transaction: string, status: number, kept: boolean): boolean {
    if (!transaction.startsWith(prefix)) return false;
    const settle = this.#completions.get(transaction);
    this.#completions.delete(transaction);
    settle?.(statuses.has(status) ? status : stopSending, kept);
    return true;
  }

  /** The session is over; what is complete already is decided all the same. */
  release(owner: Owner): void {
    this.#sessions.delete(owner);
  }

  /** Told now and then, not for every piece: it keeps the session from being given up. */
  #progress(session: RecordingSession): void {
    const { clock, limits, tell } = this.#parts;
    const at = clock.now();
    if (at - session.toldAt < limits.recording.idleMs / 4) return;
    session.toldAt = at;
    const { account, recording } = session;
    tell(account, `recording/${recording}`, { type: 'msrp.progress', at, limits });
  }

  #completed(
    { account, recording }: RecordingSession,
    { message, upload, begunAt, at }: CompleteMessage,
  ): Promise<Verdict> {
    const { limits, submit } = this.#parts;
    const transaction = `${prefix}${this.#next++}`;
    return new Promise((resolve) => {
      this.#completions.set(transaction, (status, kept) => resolve({ status, kept }));
      submit(account, {
        kind: 'recorded',
        event: { type: 'message.recorded', at, transaction, recording, message, limits },
        payload: upload,
        begunAt,
      });
    });
  }
}

/** RFC 3261 8.2.6.2: what every answer has of its request, but for the Via. */
function copied(fields: readonly HeaderField[], tag: string): HeaderField[] {
  const made: HeaderField[] = [];
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (lower === 'to' || lower === 't') made.push([name, `${value};tag=${tag}`]);
    else if (/^(?:from|f|call-id|i|cseq)$/.test(lower)) made.push([name, value]);
  }
  return made;
}
