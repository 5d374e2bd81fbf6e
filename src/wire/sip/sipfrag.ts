/** SIP messages inside a body: message/sipfrag (RFC 3420) and message/sip (RFC 3261 27.5). */

import type { SipHeaders, SipRequest } from './message.js';

export interface SipfragOptions {
  /** Leave P-Asserted-Identity out when the request asks for it with Privacy: id (PAI-03). */
  readonly privacy: boolean;
  /** Date to add when the request has none (MSG-11). */
  readonly date?: string | undefined;
}

/** The pertinent header fields (D-48) and the body, octet for octet. */
export function sipfragOf(_request: SipRequest, _options: SipfragOptions): Buffer {
  throw new Error('pending');
}

/**
 * The complete message for message/sip: values of Authorization and Proxy-Authorization masked,
 * Route and Record-Route left out (D-13), everything else octet for octet.
 */
export function maskedSip(_request: SipRequest, _options?: Partial<SipfragOptions>): Buffer {
  throw new Error('pending');
}

/** A fragment as read: a start line is optional. */
export interface Sipfrag extends SipHeaders {
  readonly startLine: string | undefined;
  readonly body: Buffer;
}

/** Tolerant: takes any part of a message that RFC 3420 2 allows. Throws WireError. */
export function parseSipfrag(_bytes: Buffer): Sipfrag {
  throw new Error('pending');
}
