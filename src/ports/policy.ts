/** Operator policy: what is asked of it, and what it answers. Types only. */

/** What is known of a request before it is taken. */
export interface PolicyQuestion {
  /** A message is to be stored, or stored messages are wanted. */
  readonly operation: 'store' | 'retrieve';
  /** MESSAGE, or INVITE for what comes or goes by MSRP. */
  readonly method: string;
  /** Asserted or proven identities of the sender, as URIs; none for a stranger. */
  readonly identities: readonly string[];
  /** URI of From, which proves nothing. */
  readonly from: string;
  /** The served user, as `user@domain`. */
  readonly account: string;
  /** `type/subtype` in lower case; absent when nothing is said of it. */
  readonly contentType?: string;
  /** Octets, as far as they are announced. */
  readonly size?: number;
  /** ms since the epoch. */
  readonly at: number;
}

export type PolicyVerdict =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      /** For Warning: why, in a few words. */
      readonly reason: string;
      /** 400 to 699; 603 for what would be stored, 403 for what would be retrieved. */
      readonly status?: number;
    };

/**
 * Whether the operator wants it. A verdict by promise holds back this one request; one that does not
 * come in time, or not at all, is answered 503.
 */
export interface PolicyPort {
  judge(question: PolicyQuestion): PolicyVerdict | Promise<PolicyVerdict>;
}
