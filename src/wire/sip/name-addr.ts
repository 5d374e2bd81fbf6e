/** Addresses of From, To, Contact, Route and their like: name-addr or addr-spec with parameters. */

import type { Params } from './params.js';

export interface NameAddr {
  /** Unquoted; undefined when there is none. */
  readonly displayName: string | undefined;
  /** The URI as written. */
  readonly uri: string;
  /** The parameters of the field, never those of the URI. */
  readonly params: Params;
}

/** Throws WireError `SIP_ADDRESS`. `Contact: *` is no address. */
export function parseNameAddr(_value: string): NameAddr {
  throw new Error('pending');
}

/** `"name" <uri>;params`, or `<uri>;params`. */
export function formatNameAddr(_address: {
  readonly displayName?: string | undefined;
  readonly uri: string;
  readonly params?: Params;
}): string {
  throw new Error('pending');
}

/** The tag parameter of a From or To value; undefined when absent or unreadable. */
export function tagOf(_value: string | undefined): string | undefined {
  throw new Error('pending');
}

/** The URI of a From, To, Contact or P-Asserted-Identity value; undefined when unreadable. */
export function uriOf(_value: string | undefined): string | undefined {
  throw new Error('pending');
}
