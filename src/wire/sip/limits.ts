/** The bounds within which a SIP message is read. */

/** What a peer may make us hold. Beyond them a message is refused with 513. */
export interface SipLimits {
  /** Octets of start line and header fields together, the empty line included. */
  readonly headerBytes: number;
  /** Header fields of one message. */
  readonly headerFields: number;
  /** Octets of the body. */
  readonly bodyBytes: number;
}

/** Generous for IMS, where a request may carry dozens of Vias and P-headers. */
export const DEFAULT_SIP_LIMITS: SipLimits = {
  headerBytes: 65_536,
  headerFields: 1_000,
  bodyBytes: 1_048_576,
};
