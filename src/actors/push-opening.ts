/** The message that a push begins with, read from the store for its INVITE (1.6 rule 3). */

import type { FirstMessage } from '../machines/effects.js';
import type { Address } from '../machines/events.js';
import type { AccountId, Content, Log, Owner, StorePort } from '../ports.js';
import { WireError } from '../wire/error.js';
import { parseSipHead } from '../wire/sip/parse.js';
import { formatOwner } from './owner.js';
import { payloadOf } from './payload.js';
import { readExactly } from './payload-stream.js';
import type { Opening } from './push-invitation.js';

export interface OpeningParts {
  readonly store: Pick<StorePort, 'content'>;
  readonly log: Log;
  /** Octets of a stored request that are its head at most. */
  readonly headBytes: number;
  /** Whether Privacy: id is honoured towards recipients (PAI-03). */
  readonly privacy: boolean;
  /** What a virtual UA hears instead of an answer. */
  unsent(owner: Owner, status: number): void;
}

export class PushOpenings {
  readonly #parts: OpeningParts;

  constructor(parts: OpeningParts) {
    this.#parts = parts;
  }

  /** What the INVITE takes of it, or the MSRP status that says why it cannot. */
  async read(account: AccountId, first: FirstMessage): Promise<Opening | number> {
    const { store, log } = this.#parts;
    const { serial, message } = first;
    // A large message is stored as content, not as a SIP request.
    if (message.class === 'Multimedia-Message') return { first, request: undefined };
    try {
      const content = await store.content(account, serial);
      if (!content) return 400;
      return await this.#opening(content, first);
    } catch (error) {
      const code = error instanceof WireError ? error.code : undefined;
      log.error({ err: error, code, account, serial }, 'a stored message cannot be read');
      // The next push may find a store that answers; a message that is broken stays broken.
      return code === undefined ? 500 : 400;
    }
  }

  /** The virtual UA of the message hears that it could not be given out. */
  fail(account: AccountId, session: Address, { serial }: FirstMessage, status: number): void {
    this.#parts.unsent(formatOwner({ account, address: `ua/${serial}`, session }), status);
  }

  async #opening(content: Content, first: FirstMessage): Promise<Opening> {
    const { headBytes, privacy } = this.#parts;
    const head = await readExactly(content, 0, Math.min(headBytes, content.size));
    const parsed = parseSipHead(head).message;
    const request = parsed.kind === 'request' ? parsed : undefined;
    const { carried, message, receivedAt } = first;
    if (!carried) return { first, request };
    const untrusted = message.untrusted === true;
    const wish = { form: 'message/cpim', receivedAt, privacy, untrusted } as const;
    const payload = await payloadOf(content, message, wish, headBytes);
    const cpim = payload && (await readExactly(payload.content, 0, payload.content.size));
    return { first, request, cpim };
  }
}
