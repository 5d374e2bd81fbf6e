/** A SIP dialog as a value (RFC 3261 12): plain, serialisable, independent of any connection. */

import { WireError } from '../error.js';
import { parseCseq } from './cseq.js';
import type { SipHeaders, SipMessage, SipRequest, SipResponse } from './message.js';
import { parseNameAddr, tagOf, uriOf } from './name-addr.js';
import { parseUri } from './uri-syntax.js';

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

/**
 * The dialog a UAS opens with its 2xx (12.1.1): route set in the order of Record-Route. A peer of
 * RFC 2543 has no From tag; its tag is the empty string. Throws WireError `SIP_DIALOG` when there
 * is no usable Contact.
 */
export function dialogOfRequest(request: SipRequest, localTag: string): SipDialog {
  const from = parseNameAddr(request.header('from') ?? '');
  const to = parseNameAddr(request.header('to') ?? '');
  return {
    callId: request.header('call-id') ?? '',
    localTag,
    remoteTag: from.params.get('tag') ?? '',
    localUri: to.uri,
    remoteUri: from.uri,
    remoteTarget: targetOf(request),
    routeSet: request.list('record-route'),
    localCseq: 0,
    remoteCseq: parseCseq(request.header('cseq') ?? '').number,
  };
}

/** What the UAC knows of its own request. */
export interface SentRequest {
  readonly callId: string;
  readonly localTag: string;
  readonly localUri: string;
  readonly cseq: number;
}

/**
 * The dialog a UAC enters with a response (12.1.2): route set in the reverse order of
 * Record-Route. Throws WireError `SIP_DIALOG` when there is no usable Contact.
 */
export function dialogOfResponse(sent: SentRequest, response: SipResponse): SipDialog {
  const to = parseNameAddr(response.header('to') ?? '');
  return {
    callId: sent.callId,
    localTag: sent.localTag,
    remoteTag: tagOf(response.header('to')) ?? '',
    localUri: sent.localUri,
    remoteUri: to.uri,
    remoteTarget: targetOf(response),
    routeSet: [...response.list('record-route')].reverse(),
    localCseq: sent.cseq,
    remoteCseq: 0,
  };
}

/** The dialog with the Contact of a target refresh (12.2), as it was when there is none. */
export function updatedTarget(dialog: SipDialog, message: SipMessage): SipDialog {
  const target = uriOf(message.list('contact')[0]);
  return target === undefined ? dialog : { ...dialog, remoteTarget: target };
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
export function requestTarget(dialog: SipDialog): RequestTarget {
  return routedTarget(dialog.remoteTarget, dialog.routeSet);
}

/** The same for a request outside a dialog with a pre-loaded route set (8.1.2). */
export function routedTarget(uri: string, routeSet: readonly string[]): RequestTarget {
  const [first, ...others] = routeSet;
  if (first === undefined) return { uri, route: [], nextHop: uri };
  const router = parseNameAddr(first).uri;
  const parsed = parseUri(router);
  const isLoose = parsed.scheme !== 'other' && parsed.params.has('lr');
  if (isLoose) return { uri, route: routeSet, nextHop: router };
  // A strict router becomes the Request-URI, the target moves to the end of the Route.
  return { uri: withoutHeaders(router), route: [...others, `<${uri}>`], nextHop: router };
}

/** 19.1.1: a Request-URI carries neither headers nor a method parameter. */
function withoutHeaders(uri: string): string {
  const question = uri.indexOf('?', uri.indexOf('@') + 1);
  const bare = question < 0 ? uri : uri.slice(0, question);
  return bare.replace(/;method=[^;?]*/i, '');
}

function targetOf(message: SipHeaders): string {
  const target = uriOf(message.list('contact')[0]);
  if (target === undefined) throw new WireError('SIP_DIALOG', 'no usable Contact');
  return target;
}
