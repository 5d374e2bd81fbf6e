/** The MSRP sessions of actors: their SDP, and their messages in the order in which they are sent. */

import type { Effect } from '../machines/effects.js';
import type { AccountId, Clock, Log, MsrpPort, MsrpRemote, Owner, StorePort } from '../ports.js';
import { outerMessageId } from '../wire/msrp/ident.js';
import { parseMsrpUri } from '../wire/msrp/uri.js';
import { answer, offer } from '../wire/sdp.js';
import type { Sdp } from '../wire/sdp.js';
import { WireError } from '../wire/error.js';
import { carriageFor } from './media-facts.js';
import { formatOwner } from './owner.js';
import { payloadOf } from './payload.js';
import type { Payload } from './payload.js';

type Send = Extract<Effect, { type: 'msrp.send' }>;

export interface MediaParts {
  readonly msrp: MsrpPort;
  readonly store: Pick<StorePort, 'content'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly hostname: string;
  readonly payloadHeadBytes: number;
  /** Types that we send, as in accept-types. */
  readonly sentTypes: readonly string[];
  /** Whether Privacy: id is honoured towards recipients (PAI-03). */
  readonly privacy: boolean;
  /** Whether connections may go to c= and m= instead of the path (RFC 6714). */
  readonly cema: boolean;
  /** Longest ms to wait for the path of a session through a relay. */
  readonly pathMs: number;
  /** Octets of unanswered messages of one session in memory; the next ones wait in the store. */
  readonly payloadOctets: number;
  /** A message could not be sent at all: what its virtual UA hears instead of an answer. */
  unsent(owner: Owner, status: number): void;
}

/** What a description of one of our sessions is to say. */
export interface Description {
  readonly direction: 'sendonly' | 'recvonly';
  /** Of the peer; without it we offer. */
  readonly offer?: Sdp | undefined;
  /** Whether we connect; an offer leaves that open. */
  readonly active: boolean;
  /** Whether an offer is for a peer that opens WebSockets and nothing else (RFC 7977). */
  readonly webSocket?: boolean | undefined;
  /** Octets of a message that we take in. */
  readonly maxSize?: number | undefined;
}

/** A message, whose session carries it, and who hears of its outcome. */
interface Sending {
  readonly account: AccountId;
  readonly effect: Send;
  readonly owner: Owner;
  readonly sender: Owner;
}

interface MediaSession {
  readonly id: number;
  /** For `a=path`; empty while the relay has not granted it. */
  path: readonly string[];
  /** What waits for the path, or for the end of waiting. */
  readonly waiting: (() => void)[];
  /** Settles when the last message was handed to the port. */
  last: Promise<void>;
  /** Octets in memory of those that are unanswered, by who hears of them. */
  readonly unanswered: Map<Owner, number>;
  octets: number;
  /** Those that wait until others are answered. */
  readonly queued: (() => void)[];
  open: boolean;
}

/** Of a longer message no more is in memory at a time. */
const pieceBytes = 65_536;

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

  has(owner: Owner): boolean {
    return this.#sessions.has(owner);
  }

  /**
   * Gives `done` the description, or the status that says why there is none: at once, or behind a
   * relay as soon as that has granted a path.
   */
  describe(owner: Owner, wish: Description, done: (body: Buffer | number) => void): void {
    const session = this.#made(() => this.#session(owner, wish));
    if (typeof session === 'number') {
      done(session);
      return;
    }
    this.#whenReady(session, () => {
      done(session.path.length > 0 ? this.#made(() => this.#description(session, wish)) : 503);
    });
  }

  /** The peer has described itself. */
  connect(owner: Owner, remote: MsrpRemote): void {
    const session = this.#sessions.get(owner);
    if (!session) return;
    this.#whenReady(session, () => {
      if (session.open) this.#parts.msrp.connect(owner, remote);
    });
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
    const begin = (): void => {
      const octets = Math.min(effect.message.size, pieceBytes);
      session.unanswered.set(sender, octets);
      session.octets += octets;
      this.#begin(session, { account, effect, owner, sender });
    };
    if (session.octets < this.#parts.payloadOctets) begin();
    else session.queued.push(begin);
  }

  /** A message has been answered, or never will be: the next ones may be read. */
  answered(owner: Owner, sender: Owner): void {
    const session = this.#sessions.get(owner);
    const octets = session?.unanswered.get(sender);
    if (!session || octets === undefined) return;
    session.unanswered.delete(sender);
    session.octets -= octets;
    while (session.octets < this.#parts.payloadOctets) {
      const begin = session.queued.shift();
      if (!begin) return;
      begin();
    }
  }

  #begin(session: MediaSession, { account, effect, owner, sender }: Sending): void {
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
    for (const act of session.waiting.splice(0)) act();
  }

  /** SDP-04: the same session is described by the same o= line. */
  #description({ id, path }: MediaSession, description: Description) {
    const { direction, offer: remote, active, maxSize } = description;
    const { msrp, cema, sentTypes } = this.#parts;
    const { fingerprint } = msrp;
    const sdp = {
      ...{ sessionId: id, sessionVersion: 1, path, direction },
      ...(direction === 'sendonly'
        ? { acceptTypes: sentTypes }
        : { acceptTypes: ['*'], acceptWrappedTypes: ['*'] }),
      ...(maxSize !== undefined && { maxSize }),
      ...(fingerprint && { fingerprint }),
      ...(cema && { cema }),
    };
    // Nobody can be reached by a WebSocket that he has not opened.
    const setup = parseMsrpUri(path.at(-1)!).transport === 'ws' ? 'passive' : 'actpass';
    if (!remote) return offer({ ...sdp, setup });
    return answer({ ...sdp, setup: active ? 'active' : 'passive', offer: remote });
  }

  /** What `make` returns, or the status that says why it cannot. */
  #made<T>(make: () => T): T | number {
    try {
      return make();
    } catch (error) {
      // RFC 3264 6: an offer that cannot be taken as it is.
      if (error instanceof WireError) return error.status;
      if (!isRefusedByPort(error)) throw error;
      this.#parts.log.warn({ code: error.code }, 'no MSRP session to be had');
      // A way of carriage that is not to be had is the offer's fault, want of room is ours.
      return error.code === 'MSRP_CARRIAGE' ? 488 : 503;
    }
  }

  /** Throws the coded error of the port when there is no room for another session. */
  #session(owner: Owner, { offer: remote, webSocket }: Description): MediaSession {
    const known = this.#sessions.get(owner);
    if (known) return known;
    const { msrp, clock } = this.#parts;
    const tls = msrp.fingerprint !== undefined;
    const offered = webSocket === true && msrp.webSocket === true ? { webSocket } : {};
    const uri = msrp.reserve(owner, remote ? carriageFor(remote, { tls }) : offered);
    const session: MediaSession = {
      id: Math.floor(clock.now() / 1000) * 1000 + (this.#number++ % 1000),
      path: msrp.relayed === true ? [] : [uri],
      waiting: [],
      last: Promise.resolve(),
      unanswered: new Map(),
      octets: 0,
      queued: [],
      open: true,
    };
    this.#sessions.set(owner, session);
    if (session.path.length === 0) this.#allocate(owner, session);
    return session;
  }

  /** RFC 4976: the relay is asked for the path; whoever waits for it waits so long and no longer. */
  #allocate(owner: Owner, session: MediaSession): void {
    const { msrp, clock, log, pathMs } = this.#parts;
    const fail = (code: string): void => {
      if (!session.open || session.path.length > 0) return;
      log.warn({ code }, 'no path through the MSRP relay');
      this.release(owner);
    };
    const withdraw = clock.after(pathMs, () => fail('MSRP_RELAY_SILENT'));
    const path = msrp.path?.(owner) ?? Promise.reject(new Error('a port with relays has paths'));
    path.then(
      (granted) => {
        withdraw();
        if (!session.open) return;
        session.path = granted;
        for (const act of session.waiting.splice(0)) act();
      },
      (error: unknown) => {
        withdraw();
        fail(isRefusedByPort(error) ? error.code : 'MSRP_RELAY_FAULTY');
      },
    );
  }

  #whenReady(session: MediaSession, act: () => void): void {
    if (session.path.length > 0) act();
    else session.waiting.push(act);
  }

  /** The payload, or the MSRP status that says why there is none. */
  async #payload(
    account: AccountId,
    { serial, form, receivedAt, message }: Send,
  ): Promise<Payload | number> {
    const { store, log, payloadHeadBytes: headBytes, privacy } = this.#parts;
    try {
      const content = await store.content(account, serial);
      if (!content) {
        log.error({ account, serial }, 'a stored message has no content');
        return 400;
      }
      const untrusted = message.untrusted === true;
      const wish = { form, receivedAt, privacy, untrusted };
      return (await payloadOf(content, message, wish, headBytes)) ?? 415;
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

function isRefusedByPort(error: unknown): error is Error & { readonly code: string } {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return typeof error.code === 'string' && error.code.startsWith('MSRP_');
}
