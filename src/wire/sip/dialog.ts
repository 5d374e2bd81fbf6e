/** A SIP dialog as a value (RFC 3261 12): plain, serialisable, independent of any connection. */

/** Enough to send the next request of a dialog and to recognise the peer's. */
export interface SipDialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** URI of our side, as in From of our requests. */
  readonly localUri: string;
  readonly remoteUri: string;
  /** The peer's Contact URI. */
  readonly remoteTarget: string;
  /** Route header values in the order in which our requests carry them. */
  readonly routeSet: readonly string[];
  /** CSeq of our last request in the dialog; 0 when there was none. */
  readonly localCseq: number;
  /** CSeq of the peer's last request in the dialog; 0 when there was none. */
  readonly remoteCseq: number;
}
