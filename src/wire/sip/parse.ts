/** SIP messages as octets of one datagram (RFC 3261 7, 18.3). */

import type { SipLimits } from './limits.js';
import type { SipMessage, SipRequest } from './message.js';

/** Reads one message; octets behind its Content-Length are dropped. Throws WireError. */
export function parseSip(_datagram: Buffer, _limits?: Partial<SipLimits>): SipMessage {
  throw new Error('pending');
}

/**
 * What can be read of a broken request when it suffices for a response: Via, From, To, Call-ID and
 * CSeq. Undefined for responses and for anything that cannot be answered.
 */
export function salvageRequest(_bytes: Buffer): SipRequest | undefined {
  throw new Error('pending');
}
