/** The feature parameters of a Contact, as they are written (RFC 3840 9). */

import { parseNameAddr } from './name-addr.js';
import { formatParams } from './params.js';
import { WireError } from '../error.js';

/** Parameters that say where a client is, or how long, not what it can do. */
const ofOneClient: ReadonlySet<string> = new Set([
  'q',
  'expires',
  'reg-id',
  '+sip.instance',
  'pub-gruu',
  'temp-gruu',
  'temp-gruu-cookie',
  'ob',
]);

/** With a semicolon before each; empty when there are none that can be read. */
export function featureParams(contact: string): string {
  try {
    const { params } = parseNameAddr(contact);
    return formatParams(new Map([...params].filter(([name]) => !ofOneClient.has(name))));
  } catch (error) {
    if (error instanceof WireError) return '';
    throw error;
  }
}
