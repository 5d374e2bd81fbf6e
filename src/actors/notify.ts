/** Message waiting as it is sent: NOTIFY with a message summary (RFC 3842). */

import type { Effect } from '../machines/effects.js';
import type { Counts, HeaderBlock } from '../machines/events.js';
import type { HeaderField } from '../wire/sip/message.js';
import { writeMessageSummary } from '../wire/message-summary.js';
import type { MessageSummary } from '../wire/message-summary.js';
import { formatSipDate } from '../wire/sip/date.js';

type Notify = Extract<Effect, { type: 'sip.notify' }>;

/** Header fields of a NOTIFY but for Contact, and its body. */
export function notifyParts(
  effect: Notify,
  hostname: string,
): { readonly headers: HeaderField[]; readonly body: Buffer } {
  const headers: HeaderField[] = [
    ['Event', 'message-summary'],
    ['Subscription-State', subscriptionState(effect)],
    ['Content-Type', 'application/simple-message-summary'],
  ];
  return { headers, body: writeMessageSummary(summaryOf(effect, hostname)) };
}

/** EVT-04. */
export function subscriptionState({
  state,
  expires,
  reason,
  retryAfter,
}: Pick<Notify, 'state' | 'expires' | 'reason' | 'retryAfter'>): string {
  if (state === 'active') return `active;expires=${expires}`;
  const why = reason === undefined ? '' : `;reason=${reason}`;
  const later = retryAfter === undefined ? '' : `;retry-after=${retryAfter}`;
  return `terminated${why}${later}`;
}

function summaryOf({ messageAccount, counts, added }: Notify, hostname: string): MessageSummary {
  const names = Object.keys(counts) as (keyof Counts)[];
  return {
    // RFC 3842 3.5: there are messages that were not read.
    waiting: names.some((name) => counts[name].new > 0),
    account: messageAccount,
    classes: names.map((name) => ({ name, ...counts[name] })),
    headers: added.map((block) => headerBlock(block, hostname)),
  };
}

/** As in 5.3: the Message-ID without scheme (D-01). */
function headerBlock(block: HeaderBlock, hostname: string): (readonly [string, string])[] {
  const { serial, from, to, subject, date, urgent } = block;
  const fields: (readonly [string, string])[] = [
    ['To', `<${to}>`],
    ['From', `<${from}>`],
  ];
  if (subject !== undefined) fields.push(['Subject', subject]);
  fields.push(['Date', formatSipDate(date)]);
  if (urgent) fields.push(['Priority', 'urgent']);
  fields.push(['Message-ID', `${serial}@${hostname}`]);
  return fields;
}
