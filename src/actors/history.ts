/** The metadata of a stored message (S1 12.4.2.3, D-50): what a `<history>` element tells. */

import type { MessageFacts } from '../machines/facts.js';
import type { HistoryFacts } from '../ports.js';

/** A stored message as its virtual UA knows it. */
export interface StoredFacts {
  readonly message: MessageFacts;
  readonly receivedAt: number;
  readonly expiresAt?: number | undefined;
}

/** `reference` is the Message-ID with scheme. */
export function historyFacts(
  { message, receivedAt, expiresAt }: StoredFacts,
  reference: string,
): HistoryFacts {
  const { size, from, to, subject, date, authId } = message;
  return {
    reference,
    size,
    receivedAt,
    from,
    to,
    ...(expiresAt !== undefined && { expiry: expiresAt }),
    ...(subject !== undefined && { subject }),
    ...(date !== undefined && { date }),
    ...(authId !== undefined && { authId }),
  };
}
