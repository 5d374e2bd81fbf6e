/** What happens in MSRP sessions becomes events for push, focus and virtual UAs. */

import type { AccountEvent, Address, Limits } from '../machines/events.js';
import type { AccountId, Clock, MsrpHandler, MsrpIncoming, MsrpSink, Owner } from '../ports.js';
import type { MediaSessions } from './media-sessions.js';
import { formatOwner, parseOwner } from './owner.js';
import type { Recordings } from './recordings.js';

export interface MsrpIngressParts {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly recordings: Recordings;
  readonly media: Pick<MediaSessions, 'answered'>;
  tell(account: AccountId, to: Address, event: AccountEvent): void;
}

export class MsrpIngress implements MsrpHandler {
  readonly #parts: MsrpIngressParts;

  constructor(parts: MsrpIngressParts) {
    this.#parts = parts;
  }

  connected(owner: Owner): void {
    const { clock, limits } = this.#parts;
    this.#tell(owner, { type: 'msrp.connected', at: clock.now(), limits });
  }

  lost(owner: Owner): void {
    const { clock, limits } = this.#parts;
    this.#tell(owner, { type: 'msrp.lost', at: clock.now(), limits });
  }

  sent(owner: Owner, _messageId: string, status: number): void {
    this.#outcome(owner, 'msrp.sent', status);
    const { account, session: address } = parseOwner(owner);
    if (address) this.#parts.media.answered(formatOwner({ account, address }), owner);
  }

  reported(owner: Owner, _messageId: string, status: number): void {
    this.#outcome(owner, 'msrp.reported', status);
  }

  /** D-75: whoever retrieves sends nothing but the binding SEND; the session lives on. */
  receive(owner: Owner, incoming: MsrpIncoming): MsrpSink | number {
    if (!parseOwner(owner).address.startsWith('recording/')) return 403;
    return this.#parts.recordings.receive(owner, incoming);
  }

  #outcome(owner: Owner, type: 'msrp.sent' | 'msrp.reported', status: number): void {
    const { account, address, session } = parseOwner(owner);
    if (session === undefined) return;
    const { clock, limits } = this.#parts;
    const event = { type, at: clock.now(), session, status, limits } as const;
    this.#parts.tell(account, address as Address, event);
  }

  #tell(owner: Owner, event: AccountEvent): void {
    const { account, address } = parseOwner(owner);
    this.#parts.tell(account, address as Address, event);
  }
}
