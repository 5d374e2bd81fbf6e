/** Paths of sessions through a relay, from their allocation to the end of the session (RFC 4976). */

import type { Clock, Log, Random } from '../../ports.js';
import type { MsrpGrant } from '../../wire/msrp/auth.js';
import type { Connections } from './connections.js';
import { MsrpError } from './options.js';
import type { MsrpRelayOptions } from './options.js';
import { allocate } from './relay.js';
import type { Session } from './session.js';
import { targetOf } from './target.js';

export interface LeaseSettings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly relay: MsrpRelayOptions;
}

/** The part of its time after which a path is refreshed. */
const refreshAfter = 0.8;
/** A relay that grants no time at all is not asked more often. */
const waitMin = 1_000;
/** A timer cannot wait longer. */
const waitMax = 2 ** 31 - 1;

export class Leases {
  readonly #settings: LeaseSettings;
  readonly #connections: Connections;
  readonly #expired: (session: Session) => void;
  readonly #pending = new Map<Session, Promise<readonly string[]>>();

  /** `expired`: the relay does not keep the path of a session. */
  constructor(
    settings: LeaseSettings,
    connections: Connections,
    expired: (session: Session) => void,
  ) {
    this.#settings = settings;
    this.#connections = connections;
    this.#expired = expired;
  }

  /** What the session description says: the relays, the nearest to us last, then our URI. */
  path(session: Session): Promise<readonly string[]> {
    if (session.usePath.length > 0) return Promise.resolve(pathOf(session));
    const known = this.#pending.get(session);
    if (known) return known;
    const pending = this.#allocate(session).finally(() => this.#pending.delete(session));
    this.#pending.set(session, pending);
    return pending;
  }

  async #allocate(session: Session): Promise<readonly string[]> {
    const { relay, random } = this.#settings;
    const target = targetOf([relay.uri]);
    const connection = target && this.#connections.open(target);
    if (!connection) throw new MsrpError('MSRP_RELAY_UNREACHABLE', 'the relay cannot be reached');
    let isEnded = false;
    session.lease = () => {
      isEnded = true;
      connection.detach(session.owner);
    };
    connection.attach(session.owner);
    try {
      const grant = await allocate(connection, session.uri, relay, random, () => !isEnded);
      if (isEnded) throw new MsrpError('MSRP_SESSION', 'the session has ended');
      session.connection = connection;
      session.usePath = grant.usePath;
      this.#keep(session, grant);
      return pathOf(session);
    } catch (error) {
      if (!isEnded) session.lease();
      session.lease = undefined;
      throw error;
    }
  }

  /** Refreshes the path in time. */
  #keep(session: Session, { expires }: MsrpGrant): void {
    const { clock } = this.#settings;
    const { connection } = session;
    if (expires === undefined || !connection) {
      session.lease = undefined;
      return;
    }
    const waitMs = Math.min(waitMax, Math.max(waitMin, expires * 1_000 * refreshAfter));
    session.lease = clock.after(waitMs, () => void this.#refresh(session));
  }

  async #refresh(session: Session): Promise<void> {
    const { relay, random, log } = this.#settings;
    const { connection, usePath } = session;
    if (!connection) return;
    let isEnded = false;
    session.lease = () => {
      isEnded = true;
    };
    try {
      const grant = await allocate(connection, session.uri, relay, random, () => !isEnded);
      if (isEnded) return;
      if (grant.usePath.join(' ') !== usePath.join(' ')) this.#moved(session, grant);
      this.#keep(session, grant);
    } catch (error) {
      if (isEnded) return;
      const code = error instanceof MsrpError ? error.code : 'MSRP_RELAY_FAULTY';
      log.warn({ code }, 'MSRP path through the relay not kept');
      this.#expired(session);
    }
  }

  /** We send by the other path from here on; the peer goes on with the one it was told. */
  #moved(session: Session, { usePath }: MsrpGrant): void {
    this.#settings.log.info({ code: 'MSRP_RELAY_MOVED' }, 'MSRP relay grants another path');
    const { outgoing } = session;
    outgoing.toPath = [...usePath, ...outgoing.toPath.slice(session.usePath.length)];
    session.usePath = usePath;
  }
}

function pathOf({ usePath, uri }: Session): readonly string[] {
  return [...usePath].reverse().concat(uri);
}
