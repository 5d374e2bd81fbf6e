/** Media types in Content-Type and Accept (RFC 3261 20.15, 20.1). */

import type { Params } from './params.js';

export interface ContentType {
  /** `type/subtype` in lower case. */
  readonly type: string;
  readonly params: Params;
}

/** Throws WireError `SIP_CONTENT_TYPE`. */
export function parseContentType(_value: string): ContentType {
  throw new Error('pending');
}

/**
 * Whether values of Accept admit the type. Without any value they admit everything when the field
 * is absent; the caller decides about defaults of a package. `q=0` excludes.
 */
export function acceptsType(_values: readonly string[], _type: string): boolean {
  throw new Error('pending');
}
