/** SIP messages framed by Content-Length out of a stream of octets (RFC 3261 18.3). */

import type { WireError } from '../error.js';
import type { SipLimits } from './limits.js';
import type { SipMessage, SipRequest } from './message.js';

/**
 * What a stream yields. `ping` is a double CRLF between messages, to be answered with one CRLF
 * (RFC 5626 4.4.1); `pong` is a single one, the answer to our ping. At most one of each is
 * reported per push. After an error with `fatal` the framing is lost and nothing more will come.
 */
export type SipStreamEvent =
  | { readonly kind: 'message'; readonly message: SipMessage }
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong' }
  | {
      readonly kind: 'error';
      readonly error: WireError;
      /** The request to answer with the status of the error; absent when none can be answered. */
      readonly salvaged: SipRequest | undefined;
      readonly fatal: boolean;
    };

export class SipStream {
  constructor(_limits?: Partial<SipLimits>) {}

  /** Octets held of a message that is not complete. */
  get pendingBytes(): number {
    return 0;
  }

  /** Whether the framing is lost; every push is ignored then. */
  get isBroken(): boolean {
    return false;
  }

  push(_chunk: Buffer): SipStreamEvent[] {
    throw new Error('pending');
  }
}
