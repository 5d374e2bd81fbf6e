/** Who takes part in signalling: the parties of a client by owner, fed by both transports. */

import type {
  MsrpHandler,
  MsrpIncoming,
  MsrpSink,
  Owner,
  SipHandler,
  SipReceived,
} from '../ports.js';
import type { SipResponse } from '../wire/sip/message.js';

/** One for whom transactions, a dialog or an MSRP session were opened. */
export interface Party {
  answered?(id: string, response: SipResponse): void;
  failed?(id: string, cause: 'timeout' | 'transport'): void;
  /** A request inside its INVITE dialog. */
  request?(received: SipReceived): void;
  acknowledged?(): void;
  unacknowledged?(): void;
  connected?(): void;
  lost?(cause: 'refused' | 'closed' | 'timeout' | 'protocol'): void;
  receive?(incoming: MsrpIncoming): MsrpSink | number;
  /** What became of a message that was sent (RFC 4975 7.1). */
  sent?(status: number): void;
  reported?(status: number): void;
}

/** The parties at work. What is for nobody is dropped. */
export class Parties {
  readonly #parties = new Map<Owner, Party>();

  get size(): number {
    return this.#parties.size;
  }

  add(owner: Owner, party: Party): void {
    this.#parties.set(owner, party);
  }

  remove(owner: Owner): void {
    this.#parties.delete(owner);
  }

  /** `outside` takes the requests outside of INVITE dialogs. */
  sipHandler(outside: (received: SipReceived) => void): SipHandler {
    const of = (owner: Owner): Party | undefined => this.#parties.get(owner);
    return {
      request(received) {
        const party = received.owner === undefined ? undefined : of(received.owner);
        if (party?.request) party.request(received);
        else outside(received);
      },
      response: (owner, id, response) => of(owner)?.answered?.(id, response),
      failure: (owner, id, cause) => of(owner)?.failed?.(id, cause),
      // Push INVITEs are answered at once, so that a CANCEL always comes too late.
      cancelled: () => undefined,
      acknowledged: (owner) => of(owner)?.acknowledged?.(),
      unacknowledged: (owner) => of(owner)?.unacknowledged?.(),
      // To a party the session is gone, whatever took it away.
      expired: (owner) => of(owner)?.lost?.('closed'),
    };
  }

  msrpHandler(): MsrpHandler {
    const of = (owner: Owner): Party | undefined => this.#parties.get(owner);
    return {
      connected: (owner) => of(owner)?.connected?.(),
      lost: (owner, cause) => of(owner)?.lost?.(cause),
      // The fate of binding SENDs is told as connected or lost.
      sent: (owner, _messageId, status) => of(owner)?.sent?.(status),
      reported: (owner, _messageId, status) => of(owner)?.reported?.(status),
      receive: (owner, incoming) => of(owner)?.receive?.(incoming) ?? notAllowed,
    };
  }
}

/** MSRP 403: nobody here takes messages in that session. */
const notAllowed = 403;
