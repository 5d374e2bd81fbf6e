/** SIP messages as data: what a parser yields and a serialiser takes. */

/** One header field: name as on the wire, value without the line end. */
export type HeaderField = readonly [name: string, value: string];

/**
 * Read access to the header fields of a message. Names are given in their long form and in any
 * case; compact forms on the wire are understood. Values are unfolded and trimmed. Nothing is
 * decoded before it is asked for.
 */
export interface SipHeaders {
  /** The value of the first field of that name, or undefined. */
  header(name: string): string | undefined;
  /** The values of all fields of that name, one per header line, in order. */
  fields(name: string): readonly string[];
  /** All comma-separated values over all lines of that name, in order (quotes and <> respected). */
  list(name: string): readonly string[];
  /** Every field in order, names as they came. */
  all(): readonly HeaderField[];
}

interface SipMessageBase extends SipHeaders {
  /** The exact octets of the whole message, start line to the end of the body. */
  readonly bytes: Buffer;
  /** The octets of the body; empty when there is none. A view on `bytes`. */
  readonly body: Buffer;
}

export interface SipRequest extends SipMessageBase {
  readonly kind: 'request';
  readonly method: string;
  /** The Request-URI as it came. */
  readonly uri: string;
}

export interface SipResponse extends SipMessageBase {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
}

export type SipMessage = SipRequest | SipResponse;
