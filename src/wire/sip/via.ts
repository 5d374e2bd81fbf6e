/** The Via header field (RFC 3261 20.42, RFC 3581). */

import type { Params } from './params.js';

export interface Via {
  /** Upper-case: UDP, TCP, TLS, WS, WSS. */
  readonly transport: string;
  /** As written; an IPv6 reference keeps its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly branch: string | undefined;
  /** Without brackets. */
  readonly received: string | undefined;
  /** true: present without value; a number: filled in. */
  readonly rport: number | true | undefined;
  readonly params: Params;
}

/** Throws WireError `SIP_VIA`. */
export function parseVia(_value: string): Via {
  throw new Error('pending');
}

/**
 * The Via value with `received` and `rport` as RFC 3261 18.2.1 and RFC 3581 4 demand of the server
 * that took the request from that source. Everything else stays as written.
 */
export function viaWithSource(
  _value: string,
  _source: { readonly address: string; readonly port: number },
): string {
  throw new Error('pending');
}
