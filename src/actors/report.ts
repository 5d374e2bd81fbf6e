/** A report to the sender of a message: an IMDN as SIP MESSAGE (D-17, D-30). */

import type { AccountId, SipOutgoing } from '../ports.js';
import { formatDateTime } from '../wire/date-time.js';
import { writeImdnMessage } from '../wire/imdn.js';
import type { HeaderField } from '../wire/sip/message.js';
import { serialiseRequest } from '../wire/sip/serialise.js';
import { formatOwner } from './owner.js';
import { reportTarget } from './outbox.js';
import type { DurableEffect, OutboxRow } from './outbox.js';
import { aorUri, imTag } from './product.js';
import type { Product } from './product.js';

type ReportSend = Extract<DurableEffect, { type: 'report.send' }>;

export type ReportRow = OutboxRow & { readonly effect: ReportSend };

/** What a report can do without, in the order in which it goes when octets are short. */
const dispensable = ['User-Agent', 'Accept-Contact', 'recipient'] as const;

type Dispensable = (typeof dispensable)[number];

/** Octets of Via with a long host name, and of the tag of From. */
const addedOctets = 160;

/**
 * The same for every attempt: its identifiers come from the row (D-29). Outside a session a MESSAGE
 * has at most 1300 octets (RFC 3428 8), so what is too long goes without what it can spare;
 * undefined: even so it does not fit.
 */
export function reportRequest(
  account: AccountId,
  number: number,
  row: ReportRow,
  product: Product,
  octets: number,
): Omit<SipOutgoing, 'id'> | undefined {
  for (let spared = 0; spared <= dispensable.length; spared++) {
    const without = new Set<Dispensable>(dispensable.slice(0, spared));
    const request = reportWithout(without, account, number, row, product);
    if (sizeOf(request) <= octets) return request;
  }
  return undefined;
}

/** Not below what goes over the wire. */
function sizeOf({ uri, from, to, callId, headers, body }: Omit<SipOutgoing, 'id'>): number {
  const fields: HeaderField[] = [
    ['Max-Forwards', '70'],
    ['From', from],
    ['To', to],
    ['Call-ID', callId ?? ''],
    ['CSeq', '1 MESSAGE'],
    ...headers,
  ];
  return serialiseRequest({ method: 'MESSAGE', uri, headers: fields, body }).length + addedOctets;
}

function reportWithout(
  without: ReadonlySet<Dispensable>,
  account: AccountId,
  number: number,
  row: ReportRow,
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
      ...(!without.has('recipient') && { recipientUri: imdn.to }),
      ...(originalTo !== undefined && { originalRecipientUri: originalTo }),
      notification: disposition === 'stored' ? 'processing' : 'delivery',
      status: disposition,
    },
  });
  const aor = aorUri(account);
  const headers: HeaderField[] = [['P-Asserted-Identity', `<${aor}>`]];
  if (!without.has('Accept-Contact')) headers.push(['Accept-Contact', `*;${imTag}`]);
  if (!without.has('User-Agent')) headers.push(['User-Agent', name]);
  headers.push(['Content-Type', 'message/cpim']);
  return {
    owner: formatOwner({ account, address: `outbox/${number}` }),
    method: 'MESSAGE',
    uri: reportTarget(row.effect),
    from: `<${aor}>`,
    to: `<${to}>`,
    route: [],
    headers,
    body,
    callId: `${row.token}@${hostname}`,
    cseq: 1,
  };
}
