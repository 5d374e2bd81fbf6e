/** The MSRP sessions of actors: their SDP, and their messages in the order in which they are sent. */

import type { Effect } from '../machines/effects.js';
import type { AccountId, Clock, Content, Log, MsrpPort, Owner, StorePort } from '../ports.js';
import { outerMessageId } from '../wire/msrp/ident.js';
import { answer, offer } from '../wire/sdp.js';
import type { Sdp, SdpSession } from '../wire/sdp.js';
import { WireError } from '../wire/error.js';
import { formatOwner } from './owner.js';
import { payloadOf } from './payload.js';
import type { Payload } from './payload.js';
import { sentTypes } from './product.js';

type Send = Extract<Effect, { type: 'msrp.send' }>;

export interface MediaParts {
  readonly msrp: MsrpPort;
  readonly store: Pick<StorePort, 'content'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly hostname: string;
  readonly payloadBytes: number;
  /** Whether Privacy: id is honoured towards recipients (PAI-03). */
  readonly privacy: boolean;
  /** A message could not be sent at all: what its virtual UA hears instead of an answer. */
  unsent(owner: Owner, status: number): void;
}

interface MediaSession {
  readonly sdp: SdpSession;
  /** Settles when the last message was handed to the port. */
  last: Promise<void>;
  open: boolean;
}

export class MediaSessions {
  readonly #parts: MediaParts;
  readonly #sessions = new Map<Owner, MediaSession>();
  #number = 0;

  constructor(parts: MediaParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Throws the coded error of the port when there is no room for another session. */
  offer(owner: Owner): Buffer {
    return offer(this.#session(owner, 'actpass').sdp);
  }

  has(owner: Owner): boolean {
    return this.#sessions.has(owner);
  }

  /** SDP-04: the same session is described by the same o= line. */
  answer(owner: Owner, remote: Sdp | undefined, active: boolean): Buffer {
    const setup = active ? 'active' : 'passive';
    const { sdp } = this.#session(owner, setup);
    return remote ? answer({ ...sdp, setup, offer: remote }) : offer({ ...sdp, setup: 'actpass' });
  }

  /** Reads the message, and hands it to the port behind those of earlier calls. */
  send(account: AccountId, effect: Send): void {
    const owner = formatOwner({ account, address: effect.session });
    const sender = formatOwner({
      account,
      address: `ua/${effect.serial}`,
      session: effect.session,
    });
    const session = this.#sessions.get(owner);
    if (!session) {
      // The session has ended before this effect: nobody waits for the outcome.
      this.#parts.unsent(sender, 481);
      return;
    }
    const ready = this.#payload(account, effect);
    session.last = session.last
      .then(() => ready)
      .then((payload) => {
        if (!session.open) return;
        if (typeof payload === 'number') this.#parts.unsent(sender, payload);
        else this.#hand(owner, sender, effect, payload);
      })
      .catch((error: unknown) => {
        this.#parts.log.error({ err: error, account, serial: effect.serial }, 'SEND failed');
        this.#parts.unsent(sender, 500);
      });
  }

  release(owner: Owner): void {
    const session = this.#sessions.get(owner);
    if (!session) return;
    session.open = false;
    this.#sessions.delete(owner);
    this.#parts.msrp.release(owner);
  }

  #session(owner: Owner, setup: SdpSession['setup']): MediaSession {
    const known = this.#sessions.get(owner);
    if (known) return known;
    const path = [this.#parts.msrp.reserve(owner)];
    const session = {
      sdp: {
        sessionId: Math.floor(this.#parts.clock.now() / 1000) * 1000 + (this.#number++ % 1000),
        sessionVersion: 1,
        path,
        direction: 'sendonly' as const,
        setup,
        acceptTypes: sentTypes,
      },
      last: Promise.resolve(),
      open: true,
    };
    this.#sessions.set(owner, session);
    return session;
  }

  /** The payload, or the MSRP status that says why there is none. */
  async #payload(
    account: AccountId,
    { serial, form, receivedAt, message }: Send,
  ): Promise<Payload | number> {
    const { store, log, payloadBytes, privacy } = this.#parts;
    try {
      const content = await store.content(account, serial);
      if (!content) {
        log.error({ account, serial }, 'a stored message has no content');
        return 400;
      }
      if (content.size > payloadBytes) return 413;
      const bytes = await whole(content);
      const untrusted = message.untrusted === true;
      return payloadOf(bytes, { form, receivedAt, privacy, untrusted }) ?? 415;
    } catch (error) {
      const code = error instanceof WireError ? error.code : undefined;
      log.error({ err: error, code, account, serial }, 'a stored message cannot be read');
      // The next delivery may find a store that answers; a message that is broken stays broken.
      return code === undefined ? 500 : 400;
    }
  }

  #hand(owner: Owner, sender: Owner, effect: Send, payload: Payload): void {
    this.#parts.msrp.send({
      session: owner,
      owner: sender,
      messageId: outerMessageId(effect.serial, this.#parts.hostname),
      ...payload,
      successReport: effect.successReport,
    });
  }
}

async function whole(content: Content): Promise<Buffer> {
  const first = await content.read(0, content.size);
  if (first.length === content.size) return first;
  const parts = [first];
  let read = first.length;
  while (read < content.size) {
    const part = await content.read(read, content.size - read);
    if (part.length === 0) throw new WireError('STORE_CONTENT_SHORT', 'content ends too early');
    parts.push(part);
    read += part.length;
  }
  return Buffer.concat(parts);
}
