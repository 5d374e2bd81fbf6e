/** The Privacy header field (RFC 3323 4.2). */

import type { SipHeaders } from './message.js';

/** RFC 3325 9.3: `id` among the values: the asserted identity stays inside the trust domain. */
export function asksForPrivacy(headers: SipHeaders): boolean {
  return headers
    .fields('privacy')
    .some((value) => value.split(/[;,]/).some((item) => item.trim().toLowerCase() === 'id'));
}
