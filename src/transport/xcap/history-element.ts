/** What the metadata document says of a stored message. */

import type { HistoryFacts } from '../../ports.js';
import { formatDateTime } from '../../wire/date-time.js';
import type { History } from '../../wire/xml/history.js';
import { isXmlText } from '../../wire/xml/write.js';

/** D-85: a large message is `pager` as well. */
export function historyElement(facts: HistoryFacts): History {
  const { reference, size, expiry, subject, receivedAt, date, from, to, authId } = facts;
  return {
    reference,
    size,
    ...(expiry !== undefined && { expiry: formatDateTime(expiry) }),
    ...(subject !== undefined && { subject: printable(subject) }),
    pager: {
      timeStamp: formatDateTime(receivedAt),
      from: printable(from),
      to: printable(to),
      ...(authId !== undefined && { authId: printable(authId) }),
    },
    ...(date !== undefined && { date: formatDateTime(date) }),
  };
}

/** SIP may carry characters that XML cannot hold, written or referred to. */
function printable(text: string): string {
  if (isXmlText(text)) return text;
  return Array.from(text, (character) => (isXmlText(character) ? character : '\ufffd')).join('');
}
