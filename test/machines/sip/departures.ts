/** Where the transport does something else than the machines of its transactions, on purpose. */

import type { Kind } from './model.js';

/**
 * Where the transport departs from the text: what the machine does / what the table does. One
 * departure more, or one less, fails.
 */
export const departures: Readonly<Record<Kind, readonly string[]>> = {
  client: [],
  inviteClient: [
    // Figure 5, 17.1.4 SHOULD: the user has its final response; another failure would make it try
    // the next address with a request that is answered.
    'inviteClient completed, transport.failed: terminated, user.failed / completed, -',
  ],
  inviteServer: [
    // RFC 6026 8.7 MUST: the dialog repeats its 2xx by itself, none comes this way (13.3.1.4).
    'inviteServer accepted, response.handed 2xx: accepted, response.send / accepted, -',
    // RFC 6026 8.8 SHOULD, here and below: nobody waits for the outcome of a response; the
    // transport counts it. The transaction remains, as it MUST.
    'inviteServer accepted, transport.failed: accepted, user.failed / accepted, -',
    // 17.2.1 MUST, figure 7 of RFC 6026 without: a refusal that nobody acknowledges ends nothing.
    'inviteServer completed, timer.fired H: terminated, user.timeout / terminated, -',
    'inviteServer completed, transport.failed: completed, user.failed / completed, -',
    'inviteServer proceeding, transport.failed: proceeding, user.failed / proceeding, -',
  ],
  server: [
    'server completed, transport.failed: completed, user.failed / completed, -',
    'server proceeding, transport.failed: proceeding, user.failed / proceeding, -',
  ],
};
