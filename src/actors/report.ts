/** A report to the sender of a message: an IMDN as SIP MESSAGE (D-17, D-30). */

import type { AccountId, SipOutgoing } from '../ports.js';
import { formatDateTime } from '../wire/date-time.js';
import { writeImdnMessage } from '../wire/imdn.js';
import type { HeaderField } from '../wire/sip/message.js';
import { formatOwner } from './owner.js';
import type { DurableEffect, OutboxRow } from './outbox.js';
import { aorUri, imTag } from './product.js';
import type { Product } from './product.js';

type ReportSend = Extract<DurableEffect, { type: 'report.send' }>;

/** The same for every attempt: its identifiers come from the row (D-29). */
export function reportRequest(
  account: AccountId,
  number: number,
  row: OutboxRow & { readonly effect: ReportSend },
  { name, hostname }: Product,
): Omit<SipOutgoing, 'id'> {
  const { to, imdn, disposition } = row.effect;
  const { recordRoute, originalTo } = imdn;
  const body = writeImdnMessage({
    from: imdn.to,
    to: imdn.from,
    dateTime: formatDateTime(row.at),
    messageId: row.token,
    ...(recordRoute !== undefined && { route: recordRoute }),
    imdn: {
      messageId: imdn.id,
      dateTime: imdn.dateTime,
      recipientUri: imdn.to,
      ...(originalTo !== undefined && { originalRecipientUri: originalTo }),
      notification: disposition === 'stored' ? 'processing' : 'delivery',
      status: disposition,
    },
  });
  const aor = aorUri(account);
  const headers: HeaderField[] = [
    ['P-Asserted-Identity', `<${aor}>`],
    ['Accept-Contact', `*;${imTag}`],
    ['User-Agent', name],
    ['Content-Type', 'message/cpim'],
  ];
  return {
    owner: formatOwner({ account, address: `outbox/${number}` }),
    method: 'MESSAGE',
    uri: to,
    from: `<${aor}>`,
    to: `<${to}>`,
    route: [],
    headers,
    body,
    callId: `${row.token}@${hostname}`,
    cseq: 1,
  };
}
