/** Feature preferences and capabilities of contacts (RFC 3840, RFC 3841). */

import type { Params } from './params.js';

/** D-61: any Accept-Contact value asks for +g.oma.sip-im; FALSE or !TRUE does not count. */
export function namesImTag(_values: readonly string[]): boolean {
  throw new Error('pending');
}

/** The same for +g.oma.sip-im.large-message (D-15), in Accept-Contact or Contact values. */
export function namesLargeMessageTag(_values: readonly string[]): boolean {
  throw new Error('pending');
}

/** CAP-04: what the parameters of a Contact say of +g.oma.sip-im; unknown without any feature. */
export function imCapability(_contactParams: Params): boolean | 'unknown' {
  throw new Error('pending');
}
