/** A SIP dialog as a value (RFC 3261 12): plain, serialisable, independent of any connection. */

import type { SipMessage, SipRequest, SipResponse } from './message.js';

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

/** The dialog a UAS opens with its 2xx (12.1.1). Throws WireError without Contact or tag-worthy From. */
export function dialogOfRequest(_request: SipRequest, _localTag: string): SipDialog {
  throw new Error('pending');
}

/** What the UAC knows of its own request. */
export interface SentRequest {
  readonly callId: string;
  readonly localTag: string;
  readonly localUri: string;
  readonly cseq: number;
}

/** The dialog a UAC enters with a response that carries a To tag (12.1.2). Throws WireError. */
export function dialogOfResponse(_sent: SentRequest, _response: SipResponse): SipDialog {
  throw new Error('pending');
}

/** The dialog with the Contact of a target refresh (12.2), as it was when there is none. */
export function updatedTarget(_dialog: SipDialog, _message: SipMessage): SipDialog {
  throw new Error('pending');
}

/** Where a request of the dialog goes (12.2.1.1). */
export interface RequestTarget {
  /** Request-URI. */
  readonly uri: string;
  /** Route header values, topmost first. */
  readonly route: readonly string[];
  /** The URI that is resolved to an address. */
  readonly nextHop: string;
}

/** 12.2.1.1 with loose and strict routers. */
export function requestTarget(_dialog: SipDialog): RequestTarget {
  throw new Error('pending');
}

/** The same for a request outside a dialog with a pre-loaded route set (8.1.2). */
export function routedTarget(_uri: string, _routeSet: readonly string[]): RequestTarget {
  throw new Error('pending');
}
