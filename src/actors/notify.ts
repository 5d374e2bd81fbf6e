/** Message waiting as it is sent: NOTIFY with a message summary (RFC 3842). */

import type { Effect } from '../machines/effects.js';
import type { Counts, HeaderBlock } from '../machines/events.js';
import type { HeaderField } from '../wire/sip/message.js';
import { writeMessageSummary } from '../wire/message-summary.js';
import type { MessageSummary, MessageSummaryClass } from '../wire/message-summary.js';
import { formatSipDate } from '../wire/sip/date.js';

type Notify = Extract<Effect, { type: 'sip.notify' }>;

/** How message waiting is told. */
export interface SummaryForm {
  /** The context class that pager and large messages are counted under (D-43). */
  readonly classes: Readonly<Record<keyof Counts, string>>;
  /** Header fields of added messages, in lower case (MWI-03). */
  readonly headers: ReadonlySet<string>;
}

const defaultForm: SummaryForm = {
  classes: { 'Pager-Message': 'Pager-Message', 'Multimedia-Message': 'Multimedia-Message' },
  headers: new Set(['to', 'from', 'subject', 'date', 'priority', 'message-id']),
};

/** Header fields of a NOTIFY but for Contact, and its body. */
export function notifyParts(
  effect: Notify,
  hostname: string,
  form: SummaryForm = defaultForm,
): { readonly headers: HeaderField[]; readonly body: Buffer } {
  const headers: HeaderField[] = [
    ['Event', 'message-summary'],
    ['Subscription-State', subscriptionState(effect)],
    ['Content-Type', 'application/simple-message-summary'],
  ];
  return { headers, body: writeMessageSummary(summaryOf(effect, hostname, form)) };
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

function summaryOf(
  { messageAccount, counts, added }: Notify,
  hostname: string,
  form: SummaryForm,
): MessageSummary {
  const names = Object.keys(counts) as (keyof Counts)[];
  return {
    // RFC 3842 3.5: there are messages that were not read.
    waiting: names.some((name) => counts[name].new > 0),
    account: messageAccount,
    classes: classesOf(counts, form),
    headers: added
      .map((block) => headerBlock(block, hostname))
      .map((fields) => fields.filter(([name]) => form.headers.has(name.toLowerCase())))
      .filter((fields) => fields.length > 0),
  };
}

/** Kinds of messages that share a class are counted together. */
function classesOf(counts: Counts, { classes }: SummaryForm): MessageSummaryClass[] {
  const summed = new Map<string, Counts[keyof Counts]>();
  for (const kind of Object.keys(counts) as (keyof Counts)[]) {
    const one = counts[kind];
    const other = summed.get(classes[kind]);
    summed.set(
      classes[kind],
      other === undefined
        ? one
        : {
            new: one.new + other.new,
            old: one.old + other.old,
            newUrgent: one.newUrgent + other.newUrgent,
            oldUrgent: one.oldUrgent + other.oldUrgent,
          },
    );
  }
  return [...summed].map(([name, counted]) => ({ name, ...counted }));
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
