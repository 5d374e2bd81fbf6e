/** An MSRP session (RFC 4975 5.4) as a value, with the table that finds it. */

import type { MsrpRemote, Owner } from '../../ports.js';
import type { CertificateFingerprint } from '../../wire/msrp/fingerprint.js';
import type { Connection } from './connection.js';
import type { Incoming } from './incoming.js';
import type { Outgoing } from './outgoing.js';

/**
 * `reserved` the URI is given out; `waiting` for the peer's first request; `binding` until our
 * binding SEND is answered; `bound`.
 */
type SessionState = 'reserved' | 'waiting' | 'binding' | 'bound';

export interface Session {
  readonly owner: Owner;
  /** Session-id of our URI. */
  readonly id: string;
  readonly uri: string;
  /** Whether its URI is `msrps`. */
  readonly isSecure: boolean;
  readonly incoming: Incoming;
  readonly outgoing: Outgoing;
  /** The relays between us and the path of the peer, those of our side (RFC 4976). */
  usePath: readonly string[];
  address: MsrpRemote['address'];
  fingerprints: readonly CertificateFingerprint[];
  /** Gives up its path through the relay. */
  lease: (() => void) | undefined;
  state: SessionState;
  /** The connection it is bound, or being bound, to. */
  connection: Connection | undefined;
  /** Its connection stood before: it may have been closed by the peer in the same moment. */
  isReusing: boolean;
  /** Withdraws the time limit of the passive side. */
  withdrawWait: (() => void) | undefined;
}

/** The sessions of an endpoint by owner and by session-id. */
export class SessionTable {
  readonly #byOwner = new Map<Owner, Session>();
  readonly #byId = new Map<string, Session>();

  get size(): number {
    return this.#byOwner.size;
  }

  add(session: Session): void {
    this.#byOwner.set(session.owner, session);
    this.#byId.set(session.id, session);
  }

  of(owner: Owner): Session | undefined {
    return this.#byOwner.get(owner);
  }

  withId(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  remove(session: Session): void {
    if (this.#byOwner.get(session.owner) === session) this.#byOwner.delete(session.owner);
    if (this.#byId.get(session.id) === session) this.#byId.delete(session.id);
  }

  /** A copy: the table may change while it is walked. */
  all(): Session[] {
    return [...this.#byOwner.values()];
  }
}
